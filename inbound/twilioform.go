package inbound

import (
	"encoding/json"
	"iter"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// This file judges whether a signed form is the one that Twilio signed.
//
// Twilio sorts a form by name, and signs its names and values with nothing between them
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security). So one signature fits several
// forms: "NumMedia" with "0" may be moved to the end of the value before it. An attacker may have
// an old request, from a proxy's log or its backup. Posted again under a MessageSid that was never
// seen, an old YES would answer a new question. A person may even text such fields, and have the
// own signed request show another person's number.
//
// Two kinds of checks leave one reading of each signed text:
//
//   - The ids that a form acts by have exactly their form, which ends where it must. The signed
//     text names one sender, one recipient and one of each id, wherever these stand in it.
//   - A name that Twilio documents stands in the signed text only where a field begins. It is
//     in no value that it could have been folded into, and in no longer name unless it has a field
//     of its own. Fields that Twilio adds one day pass.

// twilioNames are fields that no text names by chance, of
// https://www.twilio.com/docs/messaging/guides/webhook-request and of the status callback
// (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status).
var twilioNames = strings.Fields(`AccountSid AddOns ApiVersion ButtonPayload ButtonText ButtonType
ChannelInstallSid ChannelMetadata ChannelPrefix ChannelStatusMessage ErrorCode ErrorMessage
ErrorUrl EventType FlowData FrequentlyForwarded FromCity FromCountry FromState FromZip
InteractiveData MediaContentType0 MediaContentType1 MediaContentType2 MediaContentType3
MediaContentType4 MediaContentType5 MediaContentType6 MediaContentType7 MediaContentType8
MediaContentType9 MediaUrl0 MediaUrl1 MediaUrl2 MediaUrl3 MediaUrl4 MediaUrl5 MediaUrl6 MediaUrl7
MediaUrl8 MediaUrl9 MessageSid MessageStatus MessageType MessagingServiceSid
NumMedia NumSegments OptOutType OriginalRepliedMessageSender OriginalRepliedMessageSid ProfileName
RawDlrDoneDate ReferralBody ReferralHeadline ReferralMediaContentType ReferralMediaId
ReferralMediaUrl ReferralNumMedia ReferralSourceId ReferralSourceType ReferralSourceUrl
SmsMessageSid SmsSid SmsStatus ToCity ToCountry ToState ToZip WaId`)

var (
	// twilioWords are fields whose names a text may have by chance. Each has the pattern of what shows
	// that a value follows the name.
	twilioWords = map[string]*regexp.Regexp{
		"Address": regexp.MustCompile(`Address`), "Body": regexp.MustCompile(`Body`),
		"Forwarded": regexp.MustCompile(`Forwarded(true|false)`),
		"From":      regexp.MustCompile(`From[+0-9A-Za-z]`), "Label": regexp.MustCompile(`Label`),
		"Latitude":  regexp.MustCompile(`Latitude[-0-9]`),
		"Longitude": regexp.MustCompile(`Longitude[-0-9]`), "To": regexp.MustCompile(`To[+0-9A-Za-z]`),
	}

	twilioField     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
	twilioMessage   = regexp.MustCompile(`^(SM|MM)[0-9a-fA-F]{32}$`)
	twilioAccount   = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	twilioService   = regexp.MustCompile(`^(MG[0-9a-fA-F]{32})?$`)
	twilioRepliedTo = regexp.MustCompile(`^((SM|MM)[0-9a-fA-F]{32})?$`)
	twilioDigits    = regexp.MustCompile(`^[0-9]{0,14}$`)
	twilioLower     = regexp.MustCompile(`^[0-9a-z._ -]{0,32}$`)
	twilioUpper     = regexp.MustCompile(`^[A-Z]{0,16}$`)
)

// longestTwilioField is the most bytes that the name of a field has. A pattern that counts so far
// would cost each start 0.1 ms and 100 kB.
const longestTwilioField = 128

// exactValue is the form of a field's value, nil when the field may have any.
func exactValue(name string) *regexp.Regexp {
	switch name {
	case "MessageSid", "SmsSid", "SmsMessageSid":
		return twilioMessage
	case "AccountSid":
		return twilioAccount
	case "MessagingServiceSid":
		return twilioService
	case "OriginalRepliedMessageSid":
		return twilioRepliedTo
	case "NumMedia", "NumSegments", "ReferralNumMedia", "ErrorCode", "RawDlrDoneDate":
		return twilioDigits
	case "SmsStatus", "MessageStatus", "ApiVersion":
		return twilioLower
	case "OptOutType":
		return twilioUpper
	}
	return nil
}

// signedField is a field in the text that Twilio signed.
type signedField struct {
	name, value            string
	start, valueStart, end int
	known                  bool
}

// signedForm is a form as Twilio signs it.
type signedForm struct {
	form   url.Values // one value for each name
	text   string
	fields []signedField // in order
}

func readSigned(form url.Values) signedForm {
	s := signedForm{form: form}
	var text strings.Builder
	s.fields = make([]signedField, 0, len(form))
	for name := range form {
		_, word := twilioWords[name]
		s.fields = append(s.fields, signedField{
			name: name, value: form.Get(name),
			known: word || slices.Contains(twilioNames, name),
		})
	}
	slices.SortFunc(s.fields, func(a, b signedField) int { return strings.Compare(a.name, b.name) })
	for i := range s.fields {
		f := &s.fields[i]
		f.start = text.Len()
		text.WriteString(f.name)
		f.valueStart = text.Len()
		text.WriteString(f.value)
		f.end = text.Len()
	}
	s.text = text.String()
	return s
}

// misfit says what of a form cannot be Twilio's, "" when all of it can be. The form must have the
// needed fields.
func (s signedForm) misfit(needed ...string) string {
	form := s.form
	for _, name := range needed {
		if !form.Has(name) {
			return name + " is missing"
		}
	}
	for _, f := range s.fields {
		if len(f.name) > longestTwilioField || !twilioField.MatchString(f.name) {
			return "a field has a name that Twilio gives to none"
		}
		exact := exactValue(f.name)
		if exact != nil && !exact.MatchString(f.value) ||
			f.name == "AddOns" && f.value != "" && !isObject(f.value) {
			return f.name + " is not in its form"
		}
	}
	for _, name := range []string{"SmsSid", "SmsMessageSid"} {
		if form.Has(name) && form.Get(name) != form.Get("MessageSid") {
			return name + " is not MessageSid"
		}
	}
	if s.saysTwice() || s.hidesName() || s.hidesWord() {
		return "fields are folded into others"
	}
	return ""
}

// saysTwice reports whether the signed text has two senders, two recipients, or an id in two
// values, in whatever field.
func (s signedForm) saysTwice() bool {
	// The reply that a message refers to has an id of its own.
	text := strings.Replace(s.text,
		"OriginalRepliedMessageSid"+s.form.Get("OriginalRepliedMessageSid"), "", 1)
	said := map[string]string{}
	for at := 0; at < len(text); {
		name, id := idIn(text[at:])
		if name == "" {
			at++
			continue
		}
		if earlier, again := said[name]; again && earlier != id {
			return true
		}
		said[name] = id
		at += len(name) + len(id)
	}
	senders, recipients := 0, 0
	for before := range plusses(text) {
		switch {
		case strings.HasSuffix(before, "From"):
			senders++
		case strings.HasSuffix(before, "To"):
			recipients++
		}
	}
	return senders > 1 || recipients > 1
}

// idIn returns the id with which a text begins, and its name before it; "" if it begins with none.
func idIn(text string) (name, id string) {
	if text[0] != 'M' && text[0] != 'S' && text[0] != 'A' {
		return "", ""
	}
	for _, name := range []string{"MessageSid", "SmsSid", "AccountSid", "MessagingServiceSid"} {
		rest, ok := strings.CutPrefix(text, name)
		if !ok || len(rest) < idLength {
			continue
		}
		id := rest[:idLength]
		digits, form := "0123456789abcdefABCDEF", []string{"SM", "MM"}
		switch name {
		case "AccountSid":
			digits, form = "0123456789abcdef", []string{"AC"}
		case "MessagingServiceSid":
			form = []string{"MG"}
		}
		if slices.Contains(form, id[:2]) && strings.Trim(id[2:], digits) == "" {
			return name, id
		}
	}
	return "", ""
}

const idLength = len("SM") + 32

// plusses are the parts of a text before each plus sign that a digit follows.
func plusses(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := 0; ; at++ {
			plus := strings.IndexByte(text[at:], '+')
			if plus < 0 {
				return
			}
			if at += plus; at+1 == len(text) || text[at+1] < '0' || text[at+1] > '9' {
				continue
			}
			if !yield(text[:at]) {
				return
			}
		}
	}
}

// hidesName reports whether a name of Twilio's stands where it can have been folded to.
func (s signedForm) hidesName() bool {
	for _, name := range twilioNames {
		for from := 0; ; {
			i := strings.Index(s.text[from:], name)
			if i < 0 {
				break
			}
			if from += i; !s.mayStand(name, from) {
				return true
			}
			from++
		}
	}
	return false
}

// mayStand reports whether a name of Twilio's may stand at a place in the signed text.
func (s signedForm) mayStand(name string, at int) bool {
	i, _ := slices.BinarySearchFunc(s.fields, at, func(f signedField, at int) int {
		if f.end <= at {
			return -1
		}
		return 1
	})
	f, end := s.fields[i], at+len(name)
	if at == f.start || end <= f.valueStart {
		return f.known || s.form.Has(name)
	}
	// Fields are sorted, so it was never folded into one that comes later. And what was folded
	// into an object of JSON leaves none.
	return name < f.name || at >= f.valueStart && end <= f.end && isObject(f.value)
}

// hidesWord reports whether a field that a form lacks may stand in the one before its place. A
// longer name is no sign of it: Twilio may add a FromCarrier to a form that has no From.
func (s signedForm) hidesWord() bool {
	for word, value := range twilioWords {
		if s.form.Has(word) {
			continue
		}
		i, _ := slices.BinarySearchFunc(s.fields, word, func(f signedField, word string) int {
			return strings.Compare(f.name, word)
		})
		if i == 0 {
			continue
		}
		f := s.fields[i-1]
		text := s.text[f.start:f.end]
		if f.known {
			text = f.value
		}
		if value.MatchString(text) && !isObject(text) {
			return true
		}
	}
	return false
}

// isObject reports whether a text is one object of JSON.
func isObject(text string) bool {
	return strings.HasPrefix(text, "{") && json.Valid([]byte(text))
}
