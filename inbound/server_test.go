package inbound_test

import (
	"testing"

	"smsbridge/inbound/inboundtest"
)

const (
	signingKey  = inboundtest.SigningKey
	retiredKey  = inboundtest.RetiredKey
	authToken   = inboundtest.AuthToken
	accountSID  = inboundtest.AccountSID
	publicURL   = inboundtest.PublicURL
	phone       = inboundtest.Phone
	address     = inboundtest.Address
	secretLink  = inboundtest.SecretLink
	storedURL   = inboundtest.StoredURL
	contentForm = inboundtest.ContentForm
	replyURL    = inboundtest.ReplyURL
	emptyTwiML  = inboundtest.EmptyTwiML
	apiKey      = inboundtest.APIKey
	ownCode     = inboundtest.OwnCode
)

// bridge is a bridge with what the tests of the hall need besides.
type bridge struct{ *inboundtest.Bridge }

// each opens a bridge on each database; changes are environment variables.
func each(t *testing.T, test func(t *testing.T, b *bridge), changes ...string) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) { test(t, &bridge{b}) }, changes...)
}

func openBridge(t testing.TB, databaseURL string, changes ...string) *bridge {
	t.Helper()
	return &bridge{inboundtest.Open(t, databaseURL, changes...)}
}
