package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that a code goes without the line of the site where that could be taken for a link, also
// when it is texted again.
func TestCodeWithoutALink(t *testing.T) {
	const words = "482913 is your Acme Inc code. Do not share it."
	a := openApp(t, inboundtest.Open(t, storetest.SQLite(t),
		append(inboundtest.APISettings(), "SMSBRIDGE_LINKS_WORK=")...))
	v := a.Create()
	require.Equal(t, []string{words}, a.Bodies(t))
	a.Now = a.Now.Add(time.Minute)
	require.Equal(t, 2, a.Call("POST", "/v1/verifications/"+v.ID+"/resend", "").Sends)
	require.Equal(t, []string{words}, a.Bodies(t))
	unknown := a.Call("POST", "/v1/verifications/nothing/resend", "")
	require.Equal(t, http.StatusNotFound, unknown.StatusCode)
}

// Ensure that a verification has failed at once whose code may not be texted to its phone's
// country, and that nothing is texted.
func TestCodeToACountryThatBlocksItsSender(t *testing.T) {
	a := openApp(t, inboundtest.Open(t, storetest.SQLite(t), append(inboundtest.APISettings(),
		"SMSBRIDGE_COUNTRIES=DK,US", "TWILIO_LINKS_FROM=ACME")...))
	v := a.Call("POST", "/v1/verifications", `{"phone":"+12065550199"}`)
	require.Equal(t, http.StatusCreated, v.StatusCode, v.Body)
	require.Equal(t, "failed", v.Status)
	require.Contains(t, v.Body, `"not_permitted"`)
	require.Empty(t, a.Bodies(t))
	require.Equal(t, 1, a.Count(t, "event", "name = 'verification.refused' AND "+
		"detail = 'operators of US block names as senders'"))
	require.Equal(t, "pending", a.Create().Status)
	require.Equal(t, "ACME", a.One(t, "SELECT sender FROM text"))
}
