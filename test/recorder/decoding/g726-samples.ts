/**
 * Two tones and noise, 80 ms at 8 kHz, as an encoder that passes the vectors of ITU-T G.726 codes them at each rate,
 * packed in both ways, and the SHA-256 of what its decoder makes of them again (16-bit, least significant byte first).
 */
export const G726_SAMPLES = [
  {
    codeBits: 2,
    littleEndian:
      'VlWpqnsB8a//F1D/6zzFwbLOX0Asr8wU0MvKTDHhv8JQQzviMDWAsn9fDKz409TAKz5wweSLA1AD7vjdxIzy' +
      'chw9o7N0Bz/6CAHxs/JDHPwojzXdgstPdLDsMkcHLyszdYC/CxNxiO/D1AD+Pkw0sL8DR0zi+DTRtzgOQDDs' +
      'vzTXD8pvAPGw8h8QPCjydAcmCnJAIK+MEBzL+3w0tPwOQw==',
    bigEndian:
      'lVVqqu1AT/r/1AX/6zxTQ46z9QE4+jMUB+OjMUxL/oMFweyLDFwCjv31MDovxxcD6LwNQxviwAXAuy93EzKP' +
      'jTR8ys4d0PyvIEBPzo/BND8o8lx3guPxHQ47jNHQ+OjMXQL+4MRNIvvDFwC/vDEcDv7A0TGLLxxH3iywAQw7' +
      '/hzX8KP5AE8Oj/QEPCiPHdCYoI0BCPoyBDTj7z0cHj+wwQ==',
    sha256: '499bae888f1de19a4a519b02ab1d58bec0daa43a9443e9823e58aa592ee4e810',
  },
  {
    codeBits: 3,
    littleEndian:
      '3LZtY0nS7rVEin2T/m0tj/T6ZX87Uy6l9sn/vpZnv/3Sv5/pkc7ftPNmybPbd/nf1/Iop9P28bP90Wu7tPxr' +
      '+ZXWNps433w57U8/j6c4udmYv5xP/mX6dq88U/yEbtwqsqT7MW2/3xMpttw27iNV+1+V9u0vj5Q6p6nekqz9' +
      'dlqqdzRHupuajp0s3lX75R0/Sy65t1vnjpRHd+/TiZ8lnsP7tOV/kT/XvpnnluRcdX/eSiXF1/n+vB5r8ZOa' +
      'Of8knu785d9X+iU1v0u5v/Ls6uPWt708keq87e9KeaT3aeu4kZ7s9t/26bPrkhu7fFxJ',
    bigEndian:
      'jbbbcskm16ZKR2+k3+yZ5S93sv+xaPSN28n/3TPL/29m/3LXKXn+mx9LJ5f2+s/+6Z5R8xtvO5b/K921mW/T' +
      'P6Nu2lJx7e6xt/m55zRxP0p0/WPa36032vR5aO5M1OtRWSX3Om2975KR2Wtp15Sqf/qs2+3Z5SNx80V+SWT/' +
      '2NsV+KeKX1N0x2JZz6u3s+O5ZPS1+1uPxSPK+v3mJ3LJzxn3my37K3eu30PPySx6uv8+RqSO689/nXOTO5N0' +
      'Pn5JzXx/s/vqX6Sp/1i1/R5fV51u+2Z5KVx9t/1SPKXvNtx1KXJf2/tvN5fXS1O1nOqS',
    sha256: '50355185d755c0bcc929943bab7d27f20835653bb63622cb577fd385d80b69dc',
  },
  {
    codeBits: 4,
    littleEndian:
      'eXd3d6GLqOzNXzVSJt7umevPTUYxRr7+i/3vLUURVbH8j+zh/WTyU9Pqr+j/7mLyQvT53qkuzmIlT/bL/pkt' +
      'wU8XHxOu354awx8nH0HO/L348f5T0zPSybLJIe9zEj7SreGqL8NSFh8jm++c/tUvRu8zvOu+KjH+RuIhkr3B' +
      '2kL/Y+Ty8ejdvF/xQzXt1MobrD8jThbvIavrvislXnPvH768s+005FXh3qO6sb9i8iX2G7+LLvzxFm0hvh+p' +
      'ztI9FvNFvd+t+NHxYh9S7vvt+PHvYiFP4vr9uk79QSVM1J4eqv/zXCYvQbwr2uozW1QRXq7Mseox0lXkEcK6' +
      '37oyIX/j8fKa0etaxENEzxO7668eFOEXwfKvKe3rVExSwz3NqtLcQuRE9BvfyTvrXvRCNMzxySnOTjQSRdzv' +
      'rfmyHkU=',
    bigEndian:
      'l3d3dxq4is7c9VMlYu3umb781GQTZOvvuN/+0lQRVRvP+M4e30YvNT2u+o7/7iYvJE+f7Zri7CZS9G+875nS' +
      'HPRx8THq/emhPPFy8RTsz9uPH+81PTMtnCucEv43IeMt2h6q8jwlYfEyuf7J713yZP4zy77rohPvZC4SKdsc' +
      'rST/Nk4vH47dy/UfNFPeTayxyvMy5GH+Erq+67JS5Tf+8evLO95DTlUe7TqrG/smL1Jvsfu44s8fYdYS6/Ga' +
      '7C3TYT9U2/3ajx0fJvEl7r/ejx/+JhL0Lq/fq+TfFFLETenhqv8/xWLyFMuyra4ztUUR5erMG64TLVVOESyr' +
      '/asjEvc+Hy+pHb6lTDRE/DG7vvrhQR5xHC/6kt6+RcQlPNPcqi3NJE5ET7H9nLO+5U8kQ8wfnJLs5EMhVM3+' +
      '2p8r4VQ=',
    sha256: '352cece3a9dad88a30b95902c539a759e17ab3954f5bc21584aa5e793abb0ec7',
  },
  {
    codeBits: 5,
    littleEndian:
      '9r333ntkVgih3Rr/tE5JyWztd523+7zRQsIotPH+l1YvNjYrkaDQuPj/aTP52KtlvllE3x3sxF/wjJghJJ1f' +
      '98/zcvIxWUqIo8K9gtuKTcg/sfJLMpp2rmklJveyVPgIcZu7t7Ofv31ixBdzbt3iVkyM34ehsZHZ1hJe7TdG' +
      'h6UKH8ZUqz+u+KBcAkvZo7Hr5aJeYkrgDJFMxpn5lnvzQWOjZfr/ZUtxi8Vh8dNV+rqfXq3+GXOEhk7KaD3G' +
      'tZf/m4sawaDlcT/4Wpvs/siky07R/aqJ7bilolQCKizr37mdvuDfT+N+/bNpCTTnjC5PBpHMCg54j2lN70Or' +
      'xctAAluCufzBZELYKFoJXj8uU291j2YFXWT6vXzcGsL5OiW0yzA3V2OzJQThdNb//+x7MbmWiFN0WkP0Qa7N' +
      'vdt7TCiDKT282ZUOnTNWCJ9z0v3k31uNvn4ks0sT5Q4eJu5+Z67OLgcZnAu/9wqPu0nll3T4FX1TnJENXJ2y' +
      'VTF3c0KzLT9zZZD461zedafT/M1HSg==',
    bigEndian:
      's973ve8k6whC29Y+lZypSbevbrO/fZ2haBGUjeN/vSvhbwZaSBUgd8f/O2Sfx5SzfMsmr7DaePi5lDDEIk/6' +
      '7/md+E/gi1CEdQb3Fy1cGDn6WF+VJtU7zVKkNnpVqD9COWz31p9P/fksJ4pj3rsV64Ib2zsQPaDbtYnK2+Y2' +
      'grUXgzGrbX8VwdGShYnPkD3W/BVuQxQ8YgmSDPPNy3vk6B7Qs3f/LuQrltgK+H6pP9dP2ttfzjiED0lRtaGO' +
      '9r8/fJVDCZC/Y6fF7WTbf0GTdhy67dU8WHctUJKFBWZ1/vLT8XH+nbzy/n3QoaZzlF+JMgmWFwHGxzsbvR6U' +
      'vhRoFixMcl8JskIwZdKFyv8Fnrarn0wqLoN29+DvUIT/0lKNlGa+amtmxCIwk6//+fd74JexBHLpKxi6Ml7Z' +
      '721zmCUbFaH4260HrOcKRg5zpv8n73qbV/DSbZWiLcfAzx3288UfZToNjJeXvcXsdMkvypPy4u7pjKLB4o5d' +
      'qKa++Epmxf54oyBfWe/O67SZv74NKQ==',
    sha256: '35bef73c54526ae7fcc4bfe2ce7d481a4d16e88feb4bb21f885ae086f669865c',
  },
] as const
