package twilio

import (
	"encoding/xml"
	"errors"
	"strings"
)

// errNotTwiML is a document that Twilio would not execute.
var errNotTwiML = errors.New("simulator: not a TwiML document")

// messageVerb is a Message verb: a text to send back
// (https://www.twilio.com/docs/messaging/twiml/message).
type messageVerb struct {
	To   string // empty: to who texted
	Body string // of its Body noun, or its own text
}

// parseTwiML returns the Message verbs of a Response document; other verbs are ignored. It returns
// errNotTwiML for anything that is not one whole Response element.
func parseTwiML(document string) ([]messageVerb, error) {
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
		return nil, errNotTwiML
	}
	if rest := strings.TrimSpace(document[decoder.InputOffset():]); rest != "" {
		return nil, errNotTwiML
	}
	var texts []messageVerb
	for _, m := range response.Messages {
		body := m.Body
		if body == "" {
			body = strings.TrimSpace(m.Text)
		}
		texts = append(texts, messageVerb{To: m.To, Body: body})
	}
	return texts, nil
}
