package reply_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"smsbridge/internal/reply"
	"smsbridge/internal/wording"
)

func words() reply.Words {
	return reply.Words{Yes: []string{"YES", "Y", "JA", "SÍ", "はい", "ΝΑΙ"},
		No: []string{"NO", "N", "NEJ"}}
}

func TestRead(t *testing.T) {
	tests := []struct {
		word   reply.Word
		code   string
		bodies []string
	}{
		{reply.Yes, "", []string{
			"YES", "yes", "Yes", "yEs", "Y", "y", "ja", "JA", "Sí", "SÍ", "si\u0301", "はい", "はい。", "ναι",
			"Ναι", "¡Sí!",
			" YES", "YES ", "\tYES\r\n", "\n\nyes\n", "\u00a0YES\u00a0", "\u3000YES", "\u2003yes\u2003",
			"YES.", "YES!", "yes!!!", "YES?", "YES,", "yes...", "yes…", "Yes !",
			`"YES"`, "'yes'", "“YES”", "‘Yes’", "«yes»", "„Ja“", "`YES`", `"YES."`, ` " YES " `,
			"´yes´", "oui c'est moi", "Oui, c’est moi.", "OUI C´EST MOI", "oui c`est moi",
			"oui cʼest moi", "oui cest moi",
			"ＹＥＳ", "ｙｅｓ！", "𝐘𝐄𝐒", "ⓎⒺⓈ",
			"YES\u200b", "\u200eYES\u200f", "\ufeffYES", "Y\u00adES", "YES\ufe0f", "\u2066YES\u2069",
		}},
		{reply.Yes, "4821", []string{
			"YES 4821", "yes 4821", "Y 4821", "ja 4821.", " YES  4821 ", "YES\n4821", "YES, 4821",
			"YES: 4821", "YES. 4821", "YES! 4821", "¡Sí! 4821", `"YES 4821"`, "ＹＥＳ ４８２１", "YES\u00a04821",
		}},
		{reply.Yes, "0000", []string{"yes 0000"}},
		{reply.No, "", []string{"It wasn't me", "it wasnt me", "it wasn‘t me!",
			"NO", "no", "No.", "N", "nej", "NEJ!", "ｎｏ", "“No”"}},
		{reply.No, "7730", []string{"NO 7730", "no, 7730"}},
		{reply.Stop, "", []string{
			"STOP", "stop", "Stop.", "STOPALL", "unsubscribe", "CANCEL", "end", "Quit", "revoke",
			"OPTOUT", "Arret", "ＳＴＯＰ", " stop! ",
			"OPT OUT", " opt\u00a0 out. ", "opt-out", "Stop  all!", "please stop", "stopp", "baja",
			"отписка",
			"don't text me", "Don’t text me.", "don´t text me", "DONT TEXT ME",
			"arrêt", "ARRÊT", "arre\u0302t", "ARRE\u0302T.", "ARRET",
			"abonelikten çık", "ABONELİKTEN ÇIK", "Abonelikten Çık", "İptal", "IPTAL", "iptal",
		}},
		{reply.Start, "", []string{"START", "start", "UNSTOP"}},
		{reply.Help, "", []string{"HELP", "help", "Info", "help?"}},
		{reply.Code, "4821", []string{"4821", "48 21", " 4821.", "４８２１"}},
		{reply.Code, "123456", []string{"123456", "123 456", "1 2 3 4 5 6"}},
		{reply.Code, "1234567890", []string{"1234567890"}},
		{reply.Other, "", []string{"", " ", "...", "482", "12345678901", "YES 482", "YES 48211",
			"4821 YES", "NO YES", "maybe", "😀"}},
	}
	for _, test := range tests {
		for _, body := range test.bodies {
			require.Equal(t, reply.Reading{Word: test.word, Code: test.code}, reply.Read(body, words()),
				"%q", body)
		}
	}
}

// Ensure that the words that Twilio acts upon, or that no reply can be read as, cannot be
// configured to mean yes.
func TestReadWordsThatCannotBeYes(t *testing.T) {
	for _, word := range []string{"STOP", "Cancel", "START", "help"} {
		require.NotEqual(t, reply.Yes, reply.Read(word, reply.Words{Yes: []string{word}}).Word, word)
	}
	for _, word := range []string{"", " ", "!", "\u200b", strings.Repeat("x", 33)} {
		for _, body := range []string{word, "", "!", ": 4821", ". 4821", "hello", word + " 4821"} {
			require.NotEqual(t, reply.Yes, reply.Read(body, reply.Words{Yes: []string{word}}).Word, "%q",
				body)
		}
	}
	require.Equal(t, reply.Yes, reply.Read("YES", reply.Words{}).Word, "everybody's word")
}

// hostile are replies that have a yes in them, look like one or mean one to a generous reader,
// and must not count as one.
func hostile() []string {
	bodies := []string{
		"YES please stop", "NO YES", "YES NO", "YES/NO", "YES or NO", "yes and no", "YESTERDAY", "YESS",
		"YEES", "YE S", "Y E S", "Y.E.S", "Y-E-S", "Y_E_S",
		"yes, who is this?", "yes who is this", "yes but not me", "yes it was not me", "YES STOP",
		"STOP YES", "not yes", "don't say YES", "NOYES", "YESNO", "eyes", "polyester",
		"YЕS", "УES", "YEЅ", "ΥES", "YΕS", "ҮES", "Y℮S", "YÈS", "YËS", "ÝES", "YEŠ", "Y3S", "YE5", "ʏᴇs",
		"🅈🄴🅂 or not", "🇾🇪🇸", "ⲨES",
		"SEY", "\u202eSEY", "ƎS", "Y\u0336E\u0336S\u0336", "YES\u0338", "Y\u0332E\u0332S\u0332", "ye$",
		"ok", "OK", "okay", "sure", "yeah", "yep", "yup", "ya", "yea", "aye", "si", "da", "tak",
		"1", "true", "confirm", "confirmed", "accept", "I agree", "👍", "👍🏽", "✅", "✔️", "💯",
		"Yes 👍", "👍 Yes", "YES 😀", "😀YES", "YES✅", "yes <3", "YES :)", "(YES)", "[YES]", "<YES>", "{YES}",
		"*YES*", "_YES_", "~YES~", "#YES", "@YES", "YES;", "YES=1", "=YES", "+YES", "-YES", "YES-",
		"/YES", "\\YES",
		"YES 123", "YES 12345", "YES 4 8 2 1", "YES4821", "YES-4821", "YES#4821", "YES 4821 7730",
		"YES 4821 YES 7730", "4821 YES", "YES 48a1", "YES ٤٨٢a", "YES no 4821", "NOT YES 4821",
		"YESTERDAY 4821", "YЕS 4821", "Liked YES 4821",
		"", " ", "\n", "\x00", "\u200b", "\u200d\u200d", "\ufe0f", ".", "?", "!?", "\"\"", "“”", "' '",
		"Body=YES", "{\"Body\":\"YES\"}", "<b>YES</b>", "&#89;ES", "%59%45%53", "YES%00", "YES&Body=NO",
		"YES' OR '1'='1", "${YES}", "{{.Answer}}", "Subject: YES",
		"I am out of the office until Monday. For urgent matters text YES to my colleague.",
		"Out of office: yes, I have received your text and will reply soon.",
		"This is an automatic reply. I'm driving and will see your message later." +
			" Reply YES to break through.",
		"Auto-Reply: YES",
		"[Automatic] yes",
		"(I'm not receiving notifications. If this is urgent, reply \"urgent\"" +
			" to send a notification through.)",
		"Sorry, I can't talk right now.",
		"Sent from my phone: YES",
		"YES\n--\nSent from my phone",
		"YES\n\nOn Mon, ACME wrote: Reply YES",
		"> Reply YES",
		">YES",
		"FW: YES", "Re: YES", "Fwd: Reply YES if you have just set up an account with ACME.",
		"YES\nNO", "NO\nYES", "YES\nYES", "YES YES", "yes yes yes", "YES, YES", "yes.no", "YES. NO.",
		"Y Y", "Y N", "Y/N", "y or n?",
		"JA NEJ", "jaja", "JAnuary", "ja?nej", "nej ja", "SÍ NO", "síno", "はい いいえ", "はいはい",
		"いいえ", "ΝΑΙ ΟΧΙ",
		strings.Repeat("YES ", 10), strings.Repeat(" ", 300) +
			"YES", strings.Repeat("YES", 100), "YES" + strings.Repeat("\u200b", 200), strings.Repeat("Y",
			1000),
	}
	question := "Reply YES if you have just set up an account with ACME. If not, reply NO."
	for _, tapback := range []string{
		"Liked “%s”", "Loved “%s”", "Laughed at “%s”", "Emphasized “%s”", "Questioned “%s”",
		"Disliked “%s”", "Removed a like from “%s”", "Removed a heart from “%s”",
		"Reacted 👍 to “%s”", "👍 to “%s”", "👍\u200b to “\u200a%s\u200a”", "Synes godt om “%s”",
		"Gefällt „%s“", "A aimé «%s»",
	} {
		bodies = append(bodies, fmt.Sprintf(tapback, question), fmt.Sprintf(tapback, "YES"),
			fmt.Sprintf(tapback, "Reply YES"))
	}
	return bodies
}

// Ensure that none of the hostile replies is a yes.
func TestReadHostile(t *testing.T) {
	bodies := hostile()
	slices.Sort(bodies)
	require.GreaterOrEqual(t, len(slices.Compact(slices.Clone(bodies))), 200)
	for _, body := range bodies {
		require.NotEqual(t, reply.Yes, reply.Read(body,
			reply.Words{Yes: []string{"YES", "Y", "JA", "SÍ", "はい", "ΝΑΙ"},
				No: []string{"NO"}}).Word, "%q", body)
	}
}

// bare takes everything from a reply that does not show, or that may stand around a word.
func bare(body string) string {
	return strings.Map(func(r rune) rune {
		hidden := unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector)
		around := strings.ContainsRune(" .,:!?¡¿。\"'`´«»“”„‘’‚", r)
		if unicode.IsSpace(r) || hidden || around {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, strings.ReplaceAll(norm.NFKC.String(body), "i\u0307", "i"))
}

// FuzzRead ensures that only one of the words, alone or with one code after it, is read as a yes
// or no.
func FuzzRead(f *testing.F) {
	for _, body := range hostile() {
		f.Add(body)
	}
	for _, body := range []string{"YES", "yes 4821", "NO, 7730", "４８２１", "STOP", "„Ja“"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := reply.Read(body, words())
		if r.Code != "" {
			require.Regexp(t, `^[0-9]{4,10}$`, r.Code)
			require.Contains(t, bare(body), r.Code)
		}
		var meant []string
		switch r.Word {
		case reply.Yes:
			meant = append(words().Yes, wording.AnswersEverywhere().Yes...)
		case reply.No:
			meant = append(words().No, wording.AnswersEverywhere().No...)
		case reply.Code:
			require.NotEmpty(t, r.Code)
			return
		default:
			require.Empty(t, r.Code)
			return
		}
		says := func(word string) bool {
			return norm.NFC.String(bare(body)) == norm.NFC.String(bare(word)+r.Code)
		}
		require.True(t, slices.ContainsFunc(meant, says), "%q", body)
		if r.Code != "" {
			require.Len(t, r.Code, 4)
		}
	})
}
