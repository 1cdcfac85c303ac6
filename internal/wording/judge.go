package wording

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"smsbridge/internal/segment"
)

// MaxSegments is the most that one text may cost.
const MaxSegments = 2

// What texts are checked with in place of a code, of a short link and of a contact. They are as
// long as the real ones, and nothing that phones show as a link.
const (
	SampleCode = "4828"
	SampleLink = "SHORT-LINK-OF-THE-BRIDGE-OF-SOME-FIFTY-CHARACTERS-"
	// SampleContact is as long as a contact may be.
	SampleContact = "CONTACT-OF-THE-TENANT-OF-40-CHARACTERS--"
	// SampleSubject is as long as what an app asks may be in most languages.
	SampleSubject = "SUBJECT-OF-THE-APP-OF-SOME-FORTY-CHARACTERS"
)

// Judge judges a text as it will be sent.
func Judge(rendered string) *Fault {
	switch {
	case strings.TrimSpace(rendered) == "":
		return &Fault{"is empty", "leave it out to get the shipped wording"}
	case hasHidden(strings.ReplaceAll(rendered, "\n", "")):
		return &Fault{"has control or invisible characters",
			"retype the text; line breaks are the only exception"}
	case looksLikeLink(rendered):
		return &Fault{"has something that phones show as a link",
			"texts of the bridge have no links, so that people learn not to trust those that do"}
	case looksLikeBoundCode(rendered):
		return &Fault{"ends like a code for a web site (@host #code)",
			"phones would offer to fill it in; reword it"}
	case segment.Measure(rendered).Segments > MaxSegments:
		return &Fault{"takes more than two segments",
			"stay within 160 characters, or 70 when there are other than GSM-7 characters " +
				"such as curly quotes"}
	}
	return nil
}

// JudgeSaying judges the text of a saying that was filled with SampleCode and SampleLink. The code
// and the link must be in the texts that are about them, and in no others.
func JudgeSaying(s Saying, rendered string) *Fault {
	if fault := Judge(rendered); fault != nil {
		return fault
	}
	if has := strings.Contains(rendered, SampleCode); has != s.needsCode() {
		if has {
			return &Fault{"has {{.Code}}, which is empty there", "leave it out"}
		}
		return &Fault{"does not tell the code", "put {{.Code}} into it"}
	}
	if has := strings.Contains(rendered, SampleLink); has != s.needsLink() {
		if has {
			return &Fault{"has {{.Link}}, which is empty there", "leave it out"}
		}
		return &Fault{"does not have the link", "put {{.Link}} into it, with white space around it"}
	}
	if has := strings.Contains(rendered, SampleSubject); has != s.needsSubject() {
		if has {
			return &Fault{"has {{.Subject}}, which is empty there", "leave it out"}
		}
		return &Fault{"does not say what the app asks", "put {{.Subject}} into it"}
	}
	if has := strings.Contains(rendered, SampleContact); has != (s == Help) {
		if has {
			return &Fault{"has {{.Contact}}, which is empty there", "leave it out"}
		}
		return &Fault{"does not say whom to ask", "put {{.Contact}} into it"}
	}
	return nil
}

// JudgeContact judges whom people are told to ask. It may be a link: it stands in a text that the
// person asked for, and it is the tenant's own.
func JudgeContact(contact string) *Fault {
	switch {
	case hasHidden(contact):
		return &Fault{"has control or invisible characters", "retype it"}
	case looksLikeBoundCode(contact):
		return &Fault{"looks like a code", "write it without @ and #"}
	case utf8.RuneCountInString(contact) > utf8.RuneCountInString(SampleContact):
		return &Fault{"is longer than 40 characters", "write the shortest one, such as a phone number"}
	}
	return nil
}

// JudgeSubject judges what an app asks a phone, before it is put into a text. The text is judged by
// its segments.
func JudgeSubject(subject string) *Fault {
	switch {
	case strings.TrimSpace(subject) == "":
		return &Fault{"is empty", "write a question, such as: Deliver today at 17?"}
	case hasHidden(subject):
		return &Fault{"has control or invisible characters, or a line break", "write it on one line"}
	case looksLikeLink(subject):
		return &Fault{"has something that phones show as a link", "write it without a link"}
	case looksLikeBoundCode(subject):
		return &Fault{"looks like a code for a web site (@host #code)", "reword it"}
	}
	return nil
}

// maxName, in characters, keeps a name from taking over the texts it is put into.
const maxName = 40

// JudgeName keeps what phones would make a link or a code of out of the texts.
func JudgeName(name string) *Fault {
	switch {
	case hasHidden(name):
		return &Fault{"has control or invisible characters", "retype it"}
	case looksLikeLink(name) || looksLikeBoundCode(name):
		return &Fault{"looks like a link or a code",
			"write the name alone, without a dot before letters, and without @ and #"}
	case utf8.RuneCountInString(name) > maxName:
		return &Fault{"is longer than " + strconv.Itoa(maxName) + " characters", "use the short name"}
	}
	return nil
}

const maxWord = 32 // characters of a word that means yes or no

// JudgeWords judges words that shall mean yes or no.
func JudgeWords(words []string) *Fault {
	for _, word := range words {
		switch {
		case KeywordOf(word) != NoKeyword:
			return &Fault{"has " + strconv.Quote(word) +
				", which stops, starts or explains texts at Twilio", "choose another word"}
		case utf8.RuneCountInString(word) > maxWord || hasHidden(word):
			return &Fault{"has a word of more than 32 characters, or with invisible ones",
				"choose short words"}
		}
	}
	return nil
}

// HasWord reports whether a text has a word, or several in a row, without regard to capitals and
// punctuation.
func HasWord(text, word string) bool {
	plain := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r)
		}), " ") + " "
	}
	return strings.Contains(plain(text), plain(word))
}

// hasHidden reports control, format (bidi, zero-width) and separator characters, and bytes that are
// not UTF-8.
func hasHidden(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar ||
			unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
	})
}

var (
	linkLike = regexp.MustCompile(`(?i)://|\bwww\.|[\p{L}\p{N}]\.\p{L}{2,}`)
	// https://wicg.github.io/sms-one-time-codes/
	boundCode = regexp.MustCompile(`@\S+ +#\S`)
)

// looksLikeLink reports what phones make a link of: a URL, or two letters and more right after a
// dot.
func looksLikeLink(s string) bool { return linkLike.MatchString(s) }

// looksLikeBoundCode reports the form of an origin-bound one-time code.
func looksLikeBoundCode(s string) bool { return boundCode.MatchString(s) }
