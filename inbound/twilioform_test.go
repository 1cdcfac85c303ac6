package inbound

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	replySID   = "SM0123456789abcdef0123456789abcdef"
	accountID  = "AC0123456789abcdef0123456789abcdef"
	serviceSID = "MG0123456789abcdef0123456789abcdef"
)

// genuineForms are forms of every kind that Twilio posts, the receipts apart.
func genuineForms() (replies, receipts map[string]url.Values) {
	sms := func(more ...string) url.Values {
		form := url.Values{
			"ToCountry": {"US"}, "ToState": {"CA"}, "SmsMessageSid": {replySID}, "NumMedia": {"0"},
			"ToCity": {"Tokyo"}, "FromZip": {"2100"}, "SmsSid": {replySID}, "FromState": {""},
			"SmsStatus": {"received"}, "FromCity": {"Frombork"}, "Body": {"YES"}, "FromCountry": {"DK"},
			"To": {"+15005550006"}, "ToZip": {"94105"}, "NumSegments": {"1"}, "MessageSid": {replySID},
			"AccountSid": {accountID}, "From": {"+4520123456"}, "ApiVersion": {"2010-04-01"},
		}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	replies = map[string]url.Values{
		"a text":         sms(),
		"without places": sms("FromCity", "", "FromZip", "", "ToCity", "", "ToState", "", "ToZip", ""),
		"words of names": sms("Body", "Forwarded To From Address Body of AddOn: YES To 4521"),
		"an empty body":  sms("Body", ""),
		"to a service":   sms("MessagingServiceSid", serviceSID),
		"an opt-out":     sms("MessagingServiceSid", serviceSID, "OptOutType", "STOP", "Body", "Stop"),
		"an add-on": sms("AddOns",
			`{"status":"successful","results":{"x":{"request_sid":"XR1","ErrorCode":null}}}`),
		"pictures": sms("NumMedia", "2", "MediaUrl0", "https://api.twilio.com/2010-04-01/Accounts/"+
			accountID+"/Messages/MM0123456789abcdef0123456789abcdef/Media/ME0", "MediaContentType0",
			"image/jpeg", "MediaUrl1", "https://api.twilio.com/x", "MediaContentType1", "image/png"),
		"the fallback": sms("ErrorCode", "11200", "ErrorUrl", "https://bridge.example.com/reply"),
		"a short code": sms("From", "12345"), "a name": sms("From", "CityBank"),
		"WhatsApp": sms("From", "whatsapp:+4520123456", "To", "whatsapp:+15005550006",
			"ProfileName", "Anna", "WaId", "4520123456", "Forwarded", "true", "MessageType", "text",
			"ButtonText", "Yes", "ButtonPayload", "yes", "ButtonType", "quick", "Latitude", "55.6",
			"Longitude", "12.5", "Address", "Main St", "Label", "Home", "ChannelMetadata",
			`{"type":"whatsapp","data":{"context":{"ProfileName":"Anna"}}}`,
			"OriginalRepliedMessageSid", "SM00000000000000000000000000000009",
			"OriginalRepliedMessageSender", "whatsapp:+15005550006", "ReferralNumMedia", "1",
			"ReferralMediaUrl", "https://x.example", "FrequentlyForwarded", "false"),
		"RCS": sms("From", "rcs:agent", "ChannelPrefix", "rcs"),
		"fields of tomorrow": sms("FromCarrier", "Telia", "MessageSidParent", "x", "Zebra", "1",
			"ParentAccountSid", "x", "ToCityCode", "4", "BodyLanguage", "en"),
	}
	receipt := func(more ...string) url.Values {
		form := url.Values{
			"AccountSid": {accountID}, "From": {"+15005550006"}, "To": {"+4520123456"},
			"MessageSid": {replySID}, "SmsSid": {replySID}, "MessageStatus": {"delivered"},
			"SmsStatus": {"delivered"}, "ApiVersion": {"2010-04-01"}, "RawDlrDoneDate": {"2603011200"},
		}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	receipts = map[string]url.Values{
		"delivered": receipt(),
		"a service": receipt("MessagingServiceSid", serviceSID, "From", ""),
		"a failure": receipt("MessageStatus", "undelivered", "SmsStatus", "undelivered",
			"ErrorCode", "30003", "ErrorMessage", "Unreachable destination handset"),
		"a channel": receipt("ChannelInstallSid", "XE0", "ChannelStatusMessage", "ok",
			"ChannelPrefix", "whatsapp", "EventType", "READ", "MessageStatus", "read",
			"SmsStatus", "read"),
		"a name as sender": receipt("From", "ACME Bank"),
	}
	delete(receipts["a service"], "From")
	return replies, receipts
}

func neededOf(receipt bool) []string {
	if receipt {
		return []string{"MessageSid", "MessageStatus"}
	}
	return []string{"MessageSid", "From", "To", "Body"}
}

// Ensure that each form that Twilio documents passes, in which fields are empty or have words in
// them, and with fields that Twilio may add.
func TestGenuineFormsFit(t *testing.T) {
	replies, receipts := genuineForms()
	for name, form := range replies {
		require.Empty(t, readSigned(form).misfit(neededOf(false)...), name)
	}
	for name, form := range receipts {
		require.Empty(t, readSigned(form).misfit(neededOf(true)...), name)
	}
}

// Ensure that a field which Twilio may add has letters and digits for a name, 128 at most.
func TestNamesOfAddedFields(t *testing.T) {
	for name, fits := range map[string]bool{
		"Z": true, strings.Repeat("Z", 128): true, strings.Repeat("Z", 129): false,
		"": false, "9Z": false, "Z Z": false, "Z\n": false, "Å": false,
	} {
		replies, _ := genuineForms()
		form := replies["a text"]
		form.Set(name, "1")
		require.Equal(t, fits, readSigned(form).misfit(neededOf(false)...) == "", "%q", name)
	}
}

// foldings are all forms with the same signed text in which up to three neighboring fields, from a
// first one on, have become one. Their text is cut anywhere into a name and a value that keep the
// order.
func foldings(form url.Values, first, most int) (folded []url.Values) {
	names := slices.Sorted(maps.Keys(form))
	text := ""
	for last := first; last < min(first+most, len(names)); last++ {
		text += names[last] + form.Get(names[last])
		for cut := 1; cut <= len(text); cut++ {
			name := text[:cut]
			if last == first && name == names[first] ||
				first > 0 && name <= names[first-1] ||
				last+1 < len(names) && name >= names[last+1] {
				continue
			}
			other := maps.Clone(form)
			for _, gone := range names[first : last+1] {
				delete(other, gone)
			}
			other[name] = []string{text[cut:]}
			folded = append(folded, other)
		}
	}
	return folded
}

// Foldings are other forms with the same signed text, made by folding up to two fields into one.
// TestFoldingsOfAnyForm folds up to three.
func Foldings(form url.Values) (folded []url.Values) {
	for first := range len(form) {
		folded = append(folded, foldings(form, first, 2)...)
	}
	return folded
}

// Ensure that a person cannot text fields into the own form, and have what was signed for it tell
// of another phone or another text.
func TestTextedFieldsDoNotFit(t *testing.T) {
	const other, victim = "SM99999999999999999999999999999999", "+4520999999"
	replies, _ := genuineForms()
	text := func(body string) url.Values {
		form := maps.Clone(replies["a text"])
		form.Set("Body", body)
		return form
	}
	told := func(gone string, more ...string) url.Values {
		form := text("YES")
		form.Set("From", victim)
		for _, name := range strings.Fields(gone) {
			delete(form, name)
		}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	for _, c := range []struct {
		body string // that was texted
		told url.Values
	}{
		{"YESFrom" + victim + "FromA", told("", "FromA", "From+4520123456")},
		{"YESFrom" + victim + "FromAFr", told("", "FromAFrFr", "om+4520123456")},
		{"YESFrom" + victim + "FromCity", told("", "FromCity", "From+4520123456FromCityFrombork")},
		{"YESFrom" + victim + "FromAxMessageSid" + other + "NumMediaA",
			told("FromCity FromCountry FromState FromZip NumMedia", "FromA", "x", "MessageSid", other,
				"NumMediaA", "From+4520123456FromCityFromborkFromCountryDKFromStateFromZip2100"+
					"MessageSid"+replySID+"NumMedia0")},
	} {
		require.Equal(t, readSigned(text(c.body)).text, readSigned(c.told).text)
		require.NotEmpty(t, readSigned(c.told).misfit(neededOf(false)...), c.body)
		require.NotEmpty(t, readSigned(text(c.body)).misfit(neededOf(false)...),
			"it could be read as another")
	}
}

var (
	signedIDs = regexp.MustCompile(`((?:Message|Sms)Sid)((?:SM|MM)[0-9a-fA-F]{32})` +
		`|(AccountSid)(AC[0-9a-f]{32})|(MessagingServiceSid)(MG[0-9a-fA-F]{32})`)
	signedNumbers = regexp.MustCompile(`(From|To)\+[0-9]`)
)

// Ensure that the ids and numbers in a signed text are found as patterns find them.
func TestSaidTwiceAsPatternsFindIt(t *testing.T) {
	says := func(text string) bool {
		said := map[string]string{}
		for _, match := range signedIDs.FindAllStringSubmatch(text, -1) {
			found := strings.Join(match[1:], "")
			kind := found[:len(found)-len("SM")-32]
			if earlier, again := said[kind]; again && earlier != found {
				return true
			}
			said[kind] = found
		}
		for _, match := range signedNumbers.FindAllStringSubmatch(text, -1) {
			if _, again := said[match[1]]; again {
				return true
			}
			said[match[1]] = match[0]
		}
		return false
	}
	twice := 0
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SampledFrom([]string{"MessageSid", "SmsSid", "AccountSid", "MessagingServiceSid",
			"SM", "MM", "AC", "MG", strings.Repeat("0", 32), strings.Repeat("aF", 16),
			strings.Repeat("b", 32),
			strings.Repeat("0", 31), "From", "To", "+", "4", "+4", "S", "M", "x", "ToFrom", "SM" +
				strings.Repeat("1", 32), "From+1", "To+2", "MessageSid" + replySID, "SmsSid" + replySID,
			"MessageSidMM" + replySID[2:], "AccountSid" + accountID, "AccountSidAC" + replySID[2:],
			"MessagingServiceSid" + serviceSID, "MessagingServiceSidMG" + strings.Repeat("F", 32)})
		text := strings.Join(rapid.SliceOfN(pieces, 0, 24).Draw(rt, "text"), "") +
			strings.Repeat("From+1", rapid.IntRange(0, 2).Draw(rt, "senders"))
		want := says(text)
		if want {
			twice++
		}
		require.Equal(t, want, signedForm{text: text, form: url.Values{}}.saysTwice(), text)
	})
	require.Positive(t, twice)
}
