package tenant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/country"
	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// This file is about numbers with which an operator tries the whole loop in production. Such a
// number is never texted. The proof that it gives is worth nothing, and so it must be no person's.

// TestNumber is a number of which the tenant says itself what comes back.
type TestNumber struct {
	Phone  phonemail.Number
	Code   string     // what each one-time code for it is, "" when none is sent
	Answer TestAnswer // what it answers to a question, "" for nothing
	End    time.Time  // from then on it is a number like any other
}

// TestAnswer is what a test number answers to a question.
type TestAnswer string

// The answers.
const (
	TestYes TestAnswer = "yes"
	TestNo  TestAnswer = "no"
)

const (
	// ours is how an operator says that a number, which a person might have, is the tenant's own.
	ours       = "this real number is ours"
	testSample = "+447700900123 code 424242 until 2026-12-31"
	// longestTest is how far ahead a test number may end.
	longestTest = 366 * 24 * time.Hour
)

// Test returns what is set for a number, if it is a test number at a time.
func (t *Tenant) Test(phone phonemail.Number, now time.Time) (TestNumber, bool) {
	for _, n := range t.Tests {
		if n.Phone == phone && now.Before(n.End) {
			return n, true
		}
	}
	return TestNumber{}, false
}

// Check returns why a phone must not be texted by the tenant's policy, as [phonemail.Policy.Check]
// does, or nil. A test number passes: no policy keeps it from being asked, since it is not texted.
func (t *Tenant) Check(phone phonemail.Number, now time.Time) error {
	if _, test := t.Test(phone, now); test {
		return nil
	}
	return t.Policy.Check(phone)
}

const testsKey = "test_numbers"

// testOptions are about numbers that are never texted.
func testOptions() []option {
	return []option{
		{Row: row{
			Key: testsKey, Variable: "SMSBRIDGE_TEST_NUMBERS", Kind: settings.List, Off: true,
			Example: testSample + ",+12025550143 answer yes until 2026-12-31",
			Doc: "Numbers that are never texted. With code, each one-time code for the number is this " +
				"one, at every door. With answer yes or no, the number answers each question so at once. " +
				"It may have both. until is its last day (UTC), at most a year ahead; then it is a number " +
				"like any other. Take one that regulators keep for films: +44 7700 900000 to 900999, " +
				"+1 (any area) 555 0100 to 0199, +46 70 1740605 to 1740699. Behind any other one, write: " +
				ours + ".",
			Prevents: "Who knows the code of a test number can prove that number, so it must be no " +
				"customer's. Without an end it would be forgotten and stay open.",
		}, Set: setTests},
	}
}

func setTests(t *Tenant, v []string) *settings.Mistake {
	for i, written := range v {
		n, what, hint := readTest(written)
		for _, other := range t.Tests {
			if what == "" && other.Phone == n.Phone {
				what, hint = "has a number that is there twice", "write one entry for each number"
			}
		}
		if what != "" {
			return settings.Wrong(fmt.Sprintf("entry %d %s", i+1, what), hint)
		}
		t.Tests = append(t.Tests, n)
	}
	return nil
}

// readTest reads an entry, or says what is wrong with it and what to do. It repeats no number.
func readTest(written string) (n TestNumber, what, hint string) {
	words := strings.Fields(written)
	rest, named := strings.CutSuffix(strings.Join(words, " "), " "+ours)
	words = strings.Fields(rest)
	number := ""
	if len(words) > 0 {
		number = words[0]
	}
	phone, err := phonemail.ParseNumber(number)
	if err != nil {
		return n, "does not begin with a phone number",
			"write the number without blanks, and in a file the whole entry in quotes: " + testSample
	}
	n.Phone = phone
	if len(words)%2 == 0 {
		return n, "is not complete", "write it as " + testSample
	}
	for i := 1; i < len(words); i += 2 {
		if what, hint := n.set(strings.ToLower(words[i]), words[i+1]); what != "" {
			return n, what, hint
		}
	}
	what, hint = n.judge(named)
	return n, what, hint
}

// set takes one word of an entry and what follows it.
func (n *TestNumber) set(word, value string) (what, hint string) {
	switch word {
	case "code":
		if len(value) < 4 || len(value) > 10 || strings.Trim(value, "0123456789") != "" {
			return "has a code of the wrong form", "write 4 to 10 digits, without blanks"
		}
		n.Code = value
	case "answer":
		n.Answer = TestAnswer(strings.ToLower(value))
		if n.Answer != TestYes && n.Answer != TestNo {
			return "has an answer that is not yes or no", "write answer yes, or answer no"
		}
	case "until":
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return "has an end that is not a date", "write the last day as until 2026-12-31"
		}
		n.End = day.AddDate(0, 0, 1)
	default:
		return "has a word that is not code, answer or until", "write it as " + testSample
	}
	return "", ""
}

// judge says what an entry lacks, or why its number must not be a test number.
func (n *TestNumber) judge(named bool) (what, hint string) {
	every := phonemail.Policy{Countries: []string{phonemail.AnyCountry}}
	switch {
	case n.End.IsZero():
		return "has no end", "add its last day, such as until 2026-12-31"
	case n.Code == "" && n.Answer == "":
		return "has no code and no answer",
			"add code and the digits for one-time codes, or answer yes or answer no for questions"
	case every.Check(n.Phone) != nil:
		return "has a number that no text may go to", "take another number: " + testSample
	case !named && !country.Fictional(n.Phone.E164()):
		return "has a number that may be a person's",
			"take one that regulators keep for films, such as +447700900123 or +12025550143. If the " +
				"number is your own, write behind the entry: " + ours
	}
	return "", ""
}

// JudgeTests finds test numbers that end too late, by the time of a start. It warns of those that
// count, and of those that have ended: a bridge that is restarted at night must start then.
//
// The error is a [settings.Mistakes].
func (s Settings) JudgeTests(now time.Time) (warnings []string, err error) {
	var mistakes settings.Mistakes
	for _, t := range s.Tenants.all {
		for i, n := range t.Tests {
			last := n.End.AddDate(0, 0, -1).Format(time.DateOnly)
			switch {
			case n.End.Sub(now) > longestTest:
				mistakes = append(mistakes, settings.Mistake{
					Where: "tenant " + t.Slug + ": test_numbers",
					What:  fmt.Sprintf("entry %d ends more than a year ahead", i+1),
					Hint:  "write an earlier day, and move it when you still need the number then",
				})
			case !now.Before(n.End):
				warnings = append(warnings, fmt.Sprintf("tenant %s: the test number %s ended with %s and "+
					"is a number like any other; write a later day, or take entry %d out of test_numbers",
					t.Slug, n.Phone, last, i+1))
			default:
				warnings = append(warnings, fmt.Sprintf("tenant %s: the test number %s counts until %s: "+
					"it is not texted, and its proof is worth nothing", t.Slug, n.Phone, last))
			}
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return warnings, nil
}

// WithoutTests returns settings without the test numbers and their codes, for who may know neither.
func WithoutTests(all []WrittenBy) (shown []WrittenBy) {
	for _, by := range all {
		by.Settings = slices.Clone(by.Settings)
		for i := range by.Settings {
			if by.Settings[i].Key == testsKey {
				by.Settings[i].Value = "set"
			}
		}
		shown = append(shown, by)
	}
	return shown
}
