package inbound

import (
	"cmp"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// What the tests from outside of the package compare with.
const (
	MaxRead       = maxRead
	MaxParsed     = maxParsed
	MaxRaw        = maxRaw
	MaxToken      = maxToken
	MaxRecipients = maxRecipients
	OldestPost    = oldestPost
	NewestPost    = newestPost
)

// ParsedFields reports whether a field of a parsed mail is read.
func ParsedFields(name string) bool { return parsedMail().known([]byte(name)) != "" }

// Held is how many bytes the bodies in flight hold now.
func (s *Server) Held() int64 { return s.bodies.Held() }

// Fill takes all memory of bodies but the last bytes, and returns what gives it back.
func (s *Server) Fill(t testing.TB, last int) (empty func()) {
	hold := s.bodies.Hold()
	require.NoError(t, hold.Take(64<<20-last-int(s.Held())))
	return hold.Close
}

// Reader routes the webhooks as Handler does, with the same middleware, and says at once that it
// recorded what they say: the doors' own work, without the database.
func (s *Server) Reader() http.Handler {
	e := s.newEcho()
	recorded := response{http.StatusOK, "recorded"}
	d := s.openMailDoor()
	mails := func(what reading) echo.HandlerFunc {
		return func(c echo.Context) error {
			_, refusal := d.readMail(c, what)
			return s.respond(c, "mail", cmp.Or(refusal, recorded), nil)
		}
	}
	e.POST("/mailgun/:tenant", mails(parsedMail()))
	e.POST("/mailgun/:tenant/mime", mails(rawMail()))
	e.POST("/twilio/:tenant/reply", func(c echo.Context) error {
		_, refusal := s.readTwilioReply(c)
		s.note(c, "reply", cmp.Or(refusal, recorded), nil)
		return writeTwiML(c, cmp.Or(refusal, recorded))
	})
	e.POST("/twilio/:tenant/receipt", func(c echo.Context) error {
		_, refusal := s.readTwilioReceipt(c)
		if refusal.status != 0 {
			return s.respond(c, "receipt", refusal, nil)
		}
		return c.NoContent(http.StatusOK)
	})
	return e
}
