/** What the samples sound: hertz. */
export const KNOWN_TONE_HZ = 440

/**
 * A tone of 440 Hz at a third of full scale in each kind of stream that ffmpeg decodes, 200 to 300 ms long, without the
 * stream's header: frames as an encoder of that codec made them, base64.
 */
export const KNOWN_SAMPLES: ReadonlyMap<string, string> = new Map([
  [
    'G729',
    'i3vAoAD6wjIB/I3aTRkLlap6EsmNsE0BWMIw5geRjbJNUDM9bwDoGwj3zQD1mw6lzt4jY01SMIIwSIrxBV6Mpp' +
      'zCMawPESO2zPK4SjL3RZsNYEz1GCjzahLDDcJNS43KMRUy8SMwTPrQ01GsQVoFu8z1lOgxnMtRDd6Mtr0CMjda' +
      'xw2yTKK0mfJ/P9cNwk1Z2A4xhgWbDTaModW7chiRewXbzOfo8vPNABsjuEyphDkxzUFRDbJM9yi6MjDrFw3AWs' +
      'HdYnK4g0kNNgz3SxtxgR8fJrJM6MGjcsSZGw3aWgagOjEyCVMNsAzqNkLyBSvTDcbNj8Mico5Hlw02DLkg2fK4' +
      'wVsmsky7F9LxWHzHDdpMrD/KcTL4Fw2wMsMAAXB3RhcNxs1Jj9lyDeVR',
  ],
  [
    'GSM',
    '0jfsbaJQVHyAm0SdUAz45Y25I6oltg39ku3wRgN/ZLti0jbsbaLwAQbRmrBn3KFEXdCXdG7AlXZBX1G2wKvqCu' +
      'qC0jbsLaJvYNrRlrSkbwDa0rYypttAtKaxGWxvIBN3YM/Y0jfsKaK3ACe9aMtb3WBI3HJE3d0AOSOORpzdAEZV' +
      'tac10jXsbeORwLckSd1RbYEpsyXrEm0hXVFTVpRvoHSUsKsy0jjsKaKSwKBlsSbl4oAZbCnLIuCAWtuWRuvggE' +
      'kjTmqB0jbsbaK1oMbbkiLta8CwbdCnbW1gp3VpS1ptIKlrJdsS0jbsLaKRALtiLtiSb6BGnJGnZd1Asq6tKWuR' +
      'YAF+YF+Z0jfsKaLdACvzKmjTlQBbG5W2m91gRxxyNOPbIFqTuac10jXsbeKRwLblac1Ra8Ct6irqyW3A2xFu2J' +
      'NvANqKuiSm',
  ],
  [
    'ILBC 20 ms',
    'W3VnuNPwAf/AA/wA/32lqDWpXpEV9apOVVsqpPkyPQ2bsd8OeCJbdZs00ofgH/wA/4A/1ZJALKv+ngAHK/51AF' +
      'G/+TJM0gkzbW0IdFkdmyXyhfwB/8AP+APN/p0AfWv+jQALb/1kAGKy5b3OLUXq6qXyW3WdPfCFgD/4Af8Af9l1' +
      'ALa7uTUAXX/p1AGG/6vYKkoUM/Pzs7hZHZUt8oUf4AH/AD/gSShvp5QAKK/65AByv6NQMGDuXO5Fc3OluFt1nz' +
      'XwhQ/4AP/AH/BZBhv5JQAHG/6JABiv6eQsGF13bjOzs/P2W3WbNNKF4B/+AP+AH92SQC1v/4FABl/+dQA9v/ky' +
      'TO5cRRMTMnpZHZsl8oX8Af/AD/gDzf6dAH1r/o0AC2/9ZABisuW9zi1F6uql8lt1nT3whYA/+AH/AH/ZdQC2u7' +
      'k1AF1/6dQBhv+r2CpKFDPz87O4WR2VLfKFH+AB/wA/4Ekob6eUACiv+uQAcr+jUDBg7lzuRXNzpbg=',
  ],
  [
    'ILBC 30 ms',
    'W3Vlt1k95X4B7+AB/gB/KUERm5qq/HNFQ+lWvVZD5ZuWlf9MKURIrExfT093dbdZ7XxbdzWR2Vmm/g/gAP/AH/' +
      'A0iRIjmhtv45AAFyv/SQAYr/nQDnzrXP55ub9PS8PCU2vm+lt3NbdZenKj/Af/gB/4A8SIyZDa6gkCxqu6fUBU' +
      'Xvk1AWG7lY1yYr19d4eLm56Htev2W3c1t1l6JiKAP/wA/4Af9GTKK9p5QPau6k1AFyv6dQBtv6ggT1ly9dXQEB' +
      'pKS8uV1XhbdzWR2SoyooB//AD/gD/EiRIjmnkAxru6SUAbK/o1AGG/qBAvs4TsDBKCi8PEW4fS9Ft3NbdZebOj' +
      'D+AA/8Af8ACIyZTaG2/nUAAXa/9JABiv+dQLdHRcoDubkvL/n5gvleR2W3c1kdlZpv4P4AD/wB/wNIkSI5obb+' +
      'OQABcr/0kAGK/50A5861z+ebm/T0vDwlNr5vo=',
  ],
  [
    'AMR',
    'PCQCB0gQS8fsjAN650B1NMAAYRwLDD9kAAAa4SQCa6A8LXrmkAA1hmCsA1qI39xW1npvBZ+dOXxAZCAFDfuesD' +
      'wkBuLoADWf4ZQDev5uG9bqyCE1HVwO9Ek8dQEtixEgPC2A5ZgAZZ/QkgYq1NxpP+OHyHIL+eLoKTCBQH74RSA8' +
      'JAepSAA12yGSA2rbgLaT6Ud+ZkvUdPnJgbl3FEgN4DwtgOKIAGf5gVoGWsh5y2Tmw+NcVvIvbgyws74+X5RwPC' +
      'QG5UAAH5/BhgN6nRCHyOg/8y9sv4IUnD6c0DcqVKA8LYHD8ABxn/CABhrP87HR/sItAMnhD9MB3gFIkQVQ0Dwk' +
      'BuWQAB+fwZQE2t/itQP6yqWLcp8Ke3AGNG4DLVNQPC2BqUgAcduwqAY60hJFicUSLjZzWF1Ea9yeAZNXNzA=',
  ],
  [
    'AMR-WB',
    'FPXOYzHXlUCWigCHFEVi24AJTFWahFRs9G1WVwSB3+5QFPb8xaG1AVIlh1gwyiaEoVXHum0mg5Y2TF2cPNtckp' +
      'EAFL/Kb/H7+yDiiG86J/chb6fJuaDiy/UBtaYnsdbF1Yi4FP7MawEfkQIkiTm5RgUBOL1gp6NGgqPy1EoBYdyh' +
      'ZwQYFP7Mb///wQAiiSlkT/URXDSsETjwIpkTEAMNOXIfFv0oFP7MbQIvyQAiCTmlR8V/pGXjHaIkHSEngBI0hn' +
      'HGILEAFP/KU4CF01Lkr76yVjUf4BUt7tPdryUTdbX1DtUJhkugFP7MbQJuyQAiDChlD9d6i/aUAkkwIUEnbqKk' +
      '7g3Qs0QoFP/KagAflwLkrTgyVhUQf4+5fk7/g++dVvrmj03FdhRgFP7MaxRHkUAiDb09T8V/m6yBfCoDQ6wBrs' +
      'fUDZFlXLcQ',
  ],
])
