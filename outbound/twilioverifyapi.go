package outbound

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"
)

// The four requests for Verify's verifications, made with twilio-go's client. Its own package for
// them, rest/verify/v2, has some thirty other resources, and takes longer to compile than outbound.

// verifyHost is where twilio-go sends. twilioWire puts the tenant's API base in its place.
const verifyHost = "https://verify.twilio.com"

// verifyAPI asks one service of Verify.
type verifyAPI struct {
	handler *client.RequestHandler
	service string
}

// verifyResource has the fields that the bridge reads of a verification
// (https://www.twilio.com/docs/verify/api/verification#verification-response-properties) and of
// the check of a code (https://www.twilio.com/docs/verify/api/verification-check).
type verifyResource struct {
	SID     *string         `json:"sid"`
	Status  *string         `json:"status"`
	Sends   json.RawMessage `json:"send_code_attempts"`
	Updated *time.Time      `json:"date_updated"`
}

func (a verifyAPI) start(form url.Values) (verifyResource, error) {
	return readVerify(a.handler.Post(a.address("/Verifications"), form, twilioHeaders(), ""))
}

// fetch reads the verification with an SID, or the one that is pending for a phone.
func (a verifyAPI) fetch(key string) (verifyResource, error) {
	return readVerify(a.handler.Get(
		a.address("/Verifications/"+url.PathEscape(key)), nil, twilioHeaders(), "",
	))
}

func (a verifyAPI) update(key, status string) (verifyResource, error) {
	return readVerify(a.handler.Post(
		a.address("/Verifications/"+url.PathEscape(key)), url.Values{"Status": {status}},
		twilioHeaders(), "",
	))
}

func (a verifyAPI) check(form url.Values) (verifyResource, error) {
	return readVerify(a.handler.Post(a.address("/VerificationCheck"), form, twilioHeaders(), ""))
}

func (a verifyAPI) address(path string) string {
	return verifyHost + "/v2/Services/" + a.service + path
}

func readVerify(res *http.Response, err error) (verifyResource, error) {
	var v verifyResource
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&v)
	return v, err
}
