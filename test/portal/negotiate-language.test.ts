import t from 'tap'
import { negotiateLanguage } from '../../portal/negotiate-language.ts'

t.test('the language liked best is taken, and English where none of ours is', (t) => {
  const expected = {
    fi: ['fi', 'fi-FI,fi;q=0.9,en;q=0.8', 'de, fi;q=0.2', 'FI', 'en;q=0.5, fi'],
    sv: ['sv-FI', 'sv;q=1.0,en;q=0.9', 'en;q=0.4, sv;q=0.5, fi;q=0.3', 'fi;q=0, sv;q=0.1'],
    en: ['', 'en-GB', 'de', '*', 'fi;q=0', 'fi;q=2', 'fi;q=x', 'fil', ';;;,,,', 'en, fi'],
  }
  for (const [language, headers] of Object.entries(expected)) {
    for (const header of headers) t.equal(negotiateLanguage(header), language, header)
  }
  t.equal(negotiateLanguage(undefined), 'en')
  t.end()
})
