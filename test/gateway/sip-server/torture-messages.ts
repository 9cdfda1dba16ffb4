/**
 * Messages after the descriptions of RFC 4475, each with the section that it answers to. Names, numbers and addresses are
 * of our own, and so is the wording wherever the section's point does not lie in it.
 */
export interface TortureMessage {
  readonly section: string
  readonly title: string
  /** One character for each byte. */
  readonly text: string
  /** Final status that a user agent that neither registers nor proxies gives; `drop` where nothing may come back. */
  readonly expected: number | 'drop'
}

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49170 RTP/AVP 0 12',
  'm=video 3226 RTP/AVP 31',
  'a=rtpmap:31 LPC/90000',
  '',
].join('\r\n')

let count = 0

/** A message of its own transaction, in the order given; a value of undefined leaves a header out. */
function message(
  startLine: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  body = '',
): string {
  count += 1
  const [method = ''] = startLine.split(/ +/)
  const usual: Record<string, string | undefined> = {
    To: 'sip:recorder@example.com',
    From: `sip:caller@example.org;tag=f${count}`,
    'Max-Forwards': '70',
    'Call-ID': `torture-${count}@192.0.2.1`,
    CSeq: `${count} ${method}`,
    Via: `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKt${count}`,
    ...(method === 'INVITE' ? { Contact: '<sip:caller@192.0.2.1>' } : {}),
    ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
    'Content-Length': String(body.length),
  }
  const all = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== undefined)
  const lines = all.map(([name, value]) => `${name}: ${value}`)
  return [startLine, ...lines, '', body].join('\r\n')
}

const invite = (
  headers: Readonly<Record<string, string | undefined>> = {},
  uri = 'sip:recorder@example.com',
) => message(`INVITE ${uri} SIP/2.0`, headers, SDP)
const options = (
  headers: Readonly<Record<string, string | undefined>> = {},
  uri = 'sip:recorder@example.com',
) => message(`OPTIONS ${uri} SIP/2.0`, headers)
const register = (headers: Readonly<Record<string, string | undefined>> = {}) =>
  message('REGISTER sip:example.com SIP/2.0', { Contact: '<sip:caller@192.0.2.1>', ...headers })

/** Header lines exactly as given. */
function verbatim(...lines: readonly string[]): string {
  return lines.join('\r\n')
}

export const TORTURE: readonly TortureMessage[] = [
  {
    section: '3.1.1.1',
    title: 'every liberty of white space, folding, case and compact forms',
    expected: 200,
    text: verbatim(
      'INVITE sip:recorder@desk.example.com;unknownparameter SIP/2.0',
      'TO :',
      ' sip:recorder@desk.example.com ;  x    = 19181',
      'from   : "A Caller \\\\\\""       <sip:caller@example.org>',
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'Call-ID: tortuous.ndaksdj@192.0.2.1',
      `Content-Length   : ${SDP.length}`,
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390skdjuw',
      's :',
      'NewFangledHeader:   one value',
      ' continued on the next line',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'Content-Type: application/sdp',
      'Route:',
      ' <sip:proxy.example.com;lr;unknownwith=value;unknown-no-value>',
      'v:  SIP  / 2.0  / TCP     spindle.example.net   ;',
      '  branch  =   z9hG4bK9ikj8  ,',
      ' SIP  /    2.0   / UDP  198.51.100.111   ; branch=',
      ' z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:caller@example.org> ; newparam =',
      '      newvalue ;',
      '  secondparam ; q = 0.33',
      '',
      SDP,
    ),
  },
  {
    section: '3.1.1.2',
    title: 'every character that a token may have, in a method that nobody knows',
    expected: 501,
    text: message(
      "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
      {
        To: '"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)@example.com>',
        From: "token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-.",
        'Call-ID': 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
        "extensionHeader-!.%*+_`'~": '\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb',
      },
    ),
  },
  {
    section: '3.1.1.3',
    title: 'an escaped at sign in a user part',
    expected: 200,
    text: invite(
      {
        To: 'sip:%75se%72@example.com',
        Contact: '<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>',
      },
      'sip:sips%3Auser%40example.com@example.net',
    ),
  },
  {
    section: '3.1.1.4',
    title: 'escaped nulls in URIs',
    expected: 405,
    text: register({
      To: 'sip:null-%00-null@example.com',
      From: 'sip:null-%00-null@example.com;tag=8',
      Contact: '<sip:%00@host5.example.com>, <sip:%00%00@host5.example.com>',
    }),
  },
  {
    section: '3.1.1.5',
    title: 'a method with a percent sign, which is no escape there',
    expected: 501,
    text: message('RE%47IST%45R sip:registrar.example.com SIP/2.0', {
      To: '"%Z%45" <sip:resource@example.com>',
      From: '"%Z%45" <sip:resource@example.com>;tag=f232',
      Contact: '<sip:alias1@host1.example.com>, <sip:alias2@host2.example.com>',
    }),
  },
  {
    section: '3.1.1.6',
    title: 'no white space between display name and bracket',
    expected: 200,
    text: options({ From: 'caller<sip:caller@example.org>;tag=323' }),
  },
  {
    section: '3.1.1.7',
    title: 'long values in header fields',
    expected: 200,
    text: invite({
      To: `"A ${'very '.repeat(60)}long name" <sip:recorder@example.com:5060;unknown${'long'.repeat(40)}=x>`,
      From: `sip:caller@example.org;unknown${'name'.repeat(20)}=${'value'.repeat(25)};tag=12${'982'.repeat(50)}424`,
      'Call-ID': `longreq.one${'really'.repeat(20)}longcallid`,
      'Unknown-Header': `${'long '.repeat(300)}end`,
      Via: Array.from(
        { length: 34 },
        (_, at) =>
          `SIP/2.0/TCP sip${33 - at}.example.com;branch=z9hG4bK${'long'.repeat(at === 0 ? 50 : 1)}`,
      ).join(', '),
      Contact: `<sip:${'long'.repeat(25)}caller@host5.example.net>`,
    }),
  },
  {
    section: '3.1.1.8',
    title: 'a second request in one datagram',
    expected: 405,
    text: `${register()}${invite()}`,
  },
  {
    section: '3.1.1.9',
    title: 'parameters in a user part',
    expected: 200,
    text: options({}, 'sip:user;par=u%40example.net@example.com'),
  },
  {
    section: '3.1.1.10',
    title: 'transports known and unknown below the top',
    expected: 200,
    text: options({
      Via: 'SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw, SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf, SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj, SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en, SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee',
    }),
  },
  {
    section: '3.1.1.11',
    title: 'a message with binary parts',
    expected: 405,
    text: message(
      'MESSAGE sip:recorder@example.com SIP/2.0',
      { 'Content-Type': 'multipart/mixed;boundary=7a9cbec02ceef655' },
      `--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n\x00\x01\xff\r\n\r\n\x80--\r\n--7a9cbec02ceef655--\r\n`,
    ),
  },
  {
    section: '3.1.1.12',
    title: 'a response with an unusual reason',
    expected: 'drop',
    text: message('SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe', { CSeq: '35 INVITE' }),
  },
  {
    section: '3.1.1.13',
    title: 'a response with an empty reason',
    expected: 'drop',
    text: message('SIP/2.0 100 ', { CSeq: '35 INVITE' }),
  },
  {
    section: '3.1.2.1',
    title: 'separators too many',
    expected: 400,
    text: invite({
      Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,',
      Contact: '"Joe" <sip:joe@example.org>;;;;',
    }),
  },
  {
    section: '3.1.2.2',
    title: 'a Content-Length beyond the datagram',
    expected: 400,
    text: invite({ 'Content-Length': '9999' }),
  },
  {
    section: '3.1.2.3',
    title: 'a negative Content-Length',
    expected: 400,
    text: invite({ 'Content-Length': '-999' }),
  },
  {
    section: '3.1.2.4',
    title: 'numbers that no field can hold',
    expected: 400,
    text: register({
      CSeq: '36893488147419103232 REGISTER',
      'Max-Forwards': '300',
      Expires: `1${'0'.repeat(100)}`,
      Contact: '<sip:user@host129.example.com>;expires=280297596632815',
    }),
  },
  {
    section: '3.1.2.5',
    title: 'numbers that no field of a response can hold',
    expected: 'drop',
    text: message('SIP/2.0 503 Service Unavailable', {
      CSeq: '9292394834772304023312 OPTIONS',
      'Retry-After': '949302838503028349304023988',
      Warning: '1812 overture "In Progress"',
    }),
  },
  {
    section: '3.1.2.6',
    title: 'a quote that does not end',
    expected: 400,
    text: invite({ To: '"Mr. J. User <sip:j.user@example.com>' }),
  },
  {
    section: '3.1.2.7',
    title: 'brackets around the Request-URI',
    expected: 400,
    text: invite({}, '<sip:recorder@example.com>'),
  },
  {
    section: '3.1.2.8',
    title: 'white space in the Request-URI',
    expected: 400,
    text: invite({}, 'sip:recorder@example.com; lr'),
  },
  {
    section: '3.1.2.9',
    title: 'more than one space between the elements of the request line',
    expected: 400,
    text: message('INVITE  sip:recorder@example.com  SIP/2.0', {}, SDP),
  },
  {
    section: '3.1.2.10',
    title: 'spaces at the end of the request line',
    expected: 200,
    text: message('OPTIONS sip:recorder@example.com SIP/2.0  '),
  },
  {
    section: '3.1.2.11',
    title: 'escaped headers in the Request-URI, which are no headers',
    expected: 200,
    text: invite({}, 'sip:recorder@example.com?Route=%3Csip:example.com%3E'),
  },
  {
    section: '3.1.2.12',
    title: 'a date in a time zone that SIP does not have',
    expected: 200,
    text: invite({ Date: 'Fri, 01 Jan 2010 16:00:00 EST' }),
  },
  {
    section: '3.1.2.13',
    title: 'a URI with headers and without brackets',
    expected: 405,
    text: register({ Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }),
  },
  {
    section: '3.1.2.14',
    title: 'spaces within the brackets',
    expected: 200,
    text: options({ To: '"Watson, Thomas" < sip:t.watson@example.org >' }),
  },
  {
    section: '3.1.2.15',
    title: 'a comma in a display name without quotes',
    expected: 200,
    text: options({ From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }),
  },
  {
    section: '3.1.2.16',
    title: 'a version that is to come',
    expected: 505,
    text: message('OPTIONS sip:recorder@example.com SIP/7.0', {
      Via: 'SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw',
      CSeq: '1 OPTIONS',
    }),
  },
  {
    section: '3.1.2.17',
    title: 'a CSeq of another method',
    expected: 400,
    text: options({ CSeq: '8 INVITE' }),
  },
  {
    section: '3.1.2.18',
    title: 'an unknown method with a CSeq of another',
    expected: 400,
    text: message('NEWMETHOD sip:recorder@example.com SIP/2.0', { CSeq: '8 INVITE' }),
  },
  {
    section: '3.1.2.19',
    title: 'a response code that is none',
    expected: 'drop',
    text: message('SIP/2.0 4294967301 better not break the receiver', { CSeq: '353494 INVITE' }),
  },
  {
    section: '3.2.1',
    title: 'a branch that begins well and ends there',
    expected: 200,
    text: options({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
  },
  {
    section: '3.2.1',
    title: 'another request with that branch, which is no repetition',
    expected: 200,
    text: options({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
  },
  {
    section: '3.3.1',
    title: 'neither Call-ID nor From nor To',
    expected: 400,
    text: invite({ 'Call-ID': undefined, From: undefined, To: undefined }),
  },
  {
    section: '3.3.2',
    title: 'a Request-URI of a scheme that nobody knows',
    expected: 416,
    text: options({}, 'nobodyKnowsThisScheme:totallyopaquecontent'),
  },
  {
    section: '3.3.3',
    title: 'a Request-URI of a scheme that is for something else',
    expected: 416,
    text: options({}, 'soap.beep://192.0.2.103:3002'),
  },
  {
    section: '3.3.4',
    title: 'schemes that nobody knows in headers',
    expected: 405,
    text: register({
      To: 'isbn:2983792873',
      From: '<http://www.example.com>;tag=3234233',
      Contact: '<name:John_Smith>',
    }),
  },
  {
    section: '3.3.5',
    title: 'extensions that nobody has, of a user agent and of a proxy',
    expected: 420,
    text: options({
      Require: 'nothingSupportsThis, nothingSupportsThisEither',
      'Proxy-Require': 'noProxiesSupportThis, norDoAnyProxiesSupportThis',
    }),
  },
  {
    section: '3.3.6',
    title: 'a body of a type that nobody knows',
    expected: 415,
    text: message(
      'INVITE sip:recorder@example.com SIP/2.0',
      { 'Content-Type': 'application/unknownformat' },
      '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n',
    ),
  },
  {
    section: '3.3.7',
    title: 'credentials of a scheme that nobody knows',
    expected: 405,
    text: register({ Authorization: 'NoOneKnowsThisScheme opaque-data=here' }),
  },
  {
    section: '3.3.8',
    title: 'several values where one belongs',
    expected: 400,
    text: invite().replace(
      '\r\nVia:',
      '\r\nCSeq: 59 INVITE\r\nCall-ID: other@192.0.2.1\r\nTo: sip:other@example.com\r\nFrom: sip:caller@example.net;tag=3414\r\nMax-Forwards: 5\r\nVia:',
    ),
  },
  {
    section: '3.3.9',
    title: 'several Content-Lengths that differ',
    expected: 400,
    text: `${options({ 'Content-Length': '13\r\nContent-Length: 5' })}There's no way to know`,
  },
  {
    section: '3.3.10',
    title: 'a response by way of a broadcast address, and not to one of ours',
    expected: 'drop',
    text: message('SIP/2.0 200 OK', {
      Via: 'SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923, SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
      CSeq: '35 INVITE',
    }),
  },
  {
    section: '3.3.11',
    title: 'no hop left, at the end of the way',
    expected: 200,
    text: options({ 'Max-Forwards': '0' }),
  },
  {
    section: '3.3.12',
    title: 'a registration with a parameter of its Contact',
    expected: 405,
    text: register({ Contact: 'sip:+19725552222@gw1.example.net;unknownparam' }),
  },
  {
    section: '3.3.13',
    title: "a registration with a parameter of its Contact's URI",
    expected: 405,
    text: register({ Contact: '<sip:+19725552222@gw1.example.net;unknownparam>' }),
  },
  {
    section: '3.3.14',
    title: 'a registration with an escaped header',
    expected: 405,
    text: register({ Contact: '<sip:user@example.com?Route=%3Csip:sip.example.com%3E>' }),
  },
  {
    section: '3.3.15',
    title: 'nothing acceptable but a type that nobody knows',
    expected: 406,
    text: invite({ Accept: 'text/nobodyKnowsThis' }),
  },
  {
    section: '3.4.1',
    title: 'a caller of RFC 2543: no branch, no tag, no Content-Length',
    expected: 200,
    text: message(
      'INVITE sip:UserB@example.com SIP/2.0',
      {
        Via: 'SIP/2.0/UDP iftgw.example.com',
        From: '<sip:+12025550147@ift.example.net;user=phone>',
        'Record-Route': '<sip:UserB@example.com;maddr=192.0.2.77>',
        To: 'sip:+12025550101@ss1.example.net;user=phone',
        'Max-Forwards': undefined,
        'Content-Length': undefined,
      },
      SDP,
    ),
  },
]
