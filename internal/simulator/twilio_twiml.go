package simulator

import (
	"encoding/xml"
	"errors"
	"strings"
)

// errTwilioNotTwiML is a document that Twilio would not execute.
var errTwilioNotTwiML = errors.New("simulator: not a TwiML document")

// twilioTexting is a Message verb: a text to send back (https://www.twilio.com/docs/messaging/twiml/message).
type twilioTexting struct {
	To   string // empty: to who texted
	Body string // of its Body noun, or its own text
}

// twilioParseTwiML returns the Message verbs of a Response document; other verbs are ignored. It returns
// errTwilioNotTwiML for anything that is not one whole Response element.
func twilioParseTwiML(document string) ([]twilioTexting, error) {
	var response struct {
		XMLName  xml.Name
		Messages []struct {
			To   string `xml:"to,attr"`
			Body string `xml:"Body"`
			Text string `xml:",chardata"`
		} `xml:"Message"`
	}
	decoder := xml.NewDecoder(strings.NewReader(document))
	if err := decoder.Decode(&response); err != nil || response.XMLName.Local != "Response" {
		return nil, errTwilioNotTwiML
	}
	if rest := strings.TrimSpace(document[decoder.InputOffset():]); rest != "" {
		return nil, errTwilioNotTwiML
	}
	var texts []twilioTexting
	for _, m := range response.Messages {
		body := m.Body
		if body == "" {
			body = strings.TrimSpace(m.Text)
		}
		texts = append(texts, twilioTexting{To: m.To, Body: body})
	}
	return texts, nil
}
