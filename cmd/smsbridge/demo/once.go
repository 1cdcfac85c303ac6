package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"smsbridge/internal/simulator/idp"
	"smsbridge/phonemail"
)

// onceTime is how long a whole sign-up may take. It takes less than a second.
const onceTime = 30 * time.Second

// PlayOnce plays one sign-up with its YES, and prints each step with the time since the
// beginning. It returns nil only if the identity provider itself says in the end that the
// address is verified.
func (s *Stage) PlayOnce(ctx context.Context, w io.Writer, provider idp.Provider) error {
	ctx, cancel := context.WithTimeoutCause(ctx, onceTime, fmt.Errorf("gave up after %s", onceTime))
	defer cancel()
	began := time.Now()
	step := func(what, format string, args ...any) {
		said := fmt.Sprintf(format, args...)
		fmt.Fprintf(w, "%6.2f s  %-8s  %s\n", time.Since(began).Seconds(), what, said)
	}
	because := func(err error) error { return cmp.Or(context.Cause(ctx), err) }
	number, err := phonemail.ParseNumber(Phone)
	if err != nil {
		return err
	}
	phone, address := s.twilio.Phone(Phone), s.tenant.Address.Address(number)

	step("sign-up", "%s signs up at ACME, which knows it as %s", Phone, address)
	if err := s.signUp(ctx, number, provider); err != nil {
		return fmt.Errorf("demo: the sign-up: %w", err)
	}
	posts, err := s.mailgun.WaitPosts(ctx, 1)
	if err != nil {
		return fmt.Errorf("demo: Mailgun did not post the mail: %w", because(err))
	}
	if posts[0].Status != http.StatusOK {
		return fmt.Errorf("demo: the bridge answered Mailgun's post of the mail with status %d",
			posts[0].Status)
	}
	step("mail", "%q arrives at Mailgun, which posts it to the bridge", s.mailsTo(number)[0].Subject)
	texts, err := phone.Wait(ctx, 1)
	if err != nil {
		return fmt.Errorf("demo: the phone got no question: %w", because(err))
	}
	step("text", "%q", texts[0].Body)
	step("reply", "YES")
	if err := s.reply(ctx, number, "YES"); err != nil {
		return fmt.Errorf("demo: the reply: %w", err)
	}
	if texts, err = phone.Wait(ctx, 2); err != nil {
		return fmt.Errorf("demo: the phone did not hear what came of its YES: %w", because(err))
	}
	for _, r := range s.idp.Requests() {
		step("link", "the bridge opens it: %s %s, answered %d", r.Method, r.Path, r.Status)
	}
	step("text", "%q", texts[1].Body)
	verified, err := askVerified(ctx, s.idp.URL(), address)
	if err != nil {
		return fmt.Errorf("demo: asking the identity provider: %w", err)
	}
	step("verified", "the identity provider says email_verified=%t", verified)
	if !verified {
		return errors.New("demo: the address is not verified")
	}
	return nil
}

// askVerified asks an identity provider over HTTP whether the user with this address is verified.
func askVerified(ctx context.Context, base, address string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		base+"/users?email="+url.QueryEscape(address), nil)
	if err != nil {
		return false, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", res.StatusCode)
	}
	var user struct {
		EmailVerified bool `json:"email_verified"`
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&user)
	return user.EmailVerified, err
}
