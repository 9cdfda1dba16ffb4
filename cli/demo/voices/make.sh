#!/bin/sh
# Makes the voices of the demonstration again: raw µ-law at 8 kHz, one file for each turn of the dialogue.
# Needs espeak-ng and sox. To listen to one: ffplay -f mulaw -ar 8000 2-caller.ulaw
set -eu
cd "$(dirname "$0")"

speak() {
  espeak-ng -v "$2" -p "$3" -s 175 --stdout "$4" |
    sox -t wav - -r 8000 -c 1 -e mu-law -t raw "$1.ulaw" gain -3 highpass 200 silence 1 0.02 0.5% reverse \
      silence 1 0.02 0.5% reverse norm -3
}

speak 1-agent fi+f2 55 'Asiakastuki, hyvää huomenta. Kuinka voin auttaa?'
speak 2-caller fi+m3 35 'Hei. Sain viime kuun laskun kahteen kertaan.'
speak 3-agent fi+f2 55 'Hetki, tarkistan. Kyllä, sama lasku lähti kahdesti. Poistan toisen heti.'
speak 4-caller fi+m3 35 'Kiitos, sehän kävi nopeasti.'
speak 5-agent fi+f2 55 'Ole hyvä. Mukavaa päivänjatkoa!'
