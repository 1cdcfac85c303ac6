package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// doorAPI names this door in what it starts.
const doorAPI = "api"

// shownVerification is a verification as the API shows it: without its code, with its whole phone number, which the app knows anyway.
type shownVerification struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Phone       string `json:"phone"`
	Door        string `json:"door"`
	ExternalID  string `json:"external_id,omitempty"`
	Attempts    int    `json:"attempts"`
	MaxAttempts int    `json:"max_attempts"`
	Sends       int    `json:"sends"`
	MaxSends    int    `json:"max_sends"`
	CreatedAt   string `json:"created_at"`
	ExpiresAt   string `json:"expires_at"`
	NextSendAt  string `json:"next_send_at,omitempty"`
	EndedAt     string `json:"ended_at,omitempty"`
}

func show(v verification.Verification) shownVerification {
	shown := shownVerification{
		ID: v.ID, Status: string(v.State), Phone: v.Phone.E164(), Door: v.Door, ExternalID: v.ExternalID,
		Attempts: v.Attempts, MaxAttempts: v.MaxAttempts, Sends: v.Sends, MaxSends: v.MaxSends,
		CreatedAt: dateTime(v.Opened), ExpiresAt: dateTime(v.Expires), EndedAt: dateTime(v.Ended),
	}
	if v.State == verification.Pending && v.Sends < v.MaxSends {
		shown.NextSendAt = dateTime(v.NextSend)
	}
	return shown
}

// createVerification starts a verification and answers 201. With an Idempotency-Key that came before it answers with what was started then.
func (s *Server) createVerification(r apiRequest) (apiAnswer, error) {
	request, err := readRequest(r.tenant, r.fields)
	if err != nil {
		return apiAnswer{}, err
	}
	key, p := idempotencyKey(r.Request().Header)
	if p != nil {
		return apiAnswer{}, p
	}
	var v verification.Verification
	create := func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = startOnce(ctx, tx, request, key, r.fields)
		return err
	}
	err = s.Store.Do(r.ctx, create)
	if errors.Is(err, errKeyRace) {
		err = s.Store.Do(r.ctx, create)
	}
	if err != nil {
		return apiAnswer{}, err
	}
	return apiAnswer{http.StatusCreated, show(v), "/v1/verifications/" + v.ID}, nil
}

// readRequest makes a request to the rule of the fields of a body.
func readRequest(t *tenant.Tenant, fields map[string]string) (verification.Request, error) {
	phone, err := phonemail.ParseNumber(fields["phone"])
	if err == nil {
		err = t.Policy.Check(phone)
	}
	if err != nil {
		return verification.Request{}, err
	}
	request := verification.For(t, doorAPI, phone)
	if code, own := fields["code"]; own {
		if request.Code, err = verification.ParseCode(code); err != nil {
			return request, err
		}
	}
	if locale, asked := fields["locale"]; asked {
		known := false
		if request.Locale, known = wording.CodeLocale(locale); !known {
			return request, badField.on("locale", "Known are "+strings.Join(wording.CodeLocales(), ", ")+".")
		}
	}
	return request, nil
}

// maxIdempotencyKey is the length of a key, in bytes.
const maxIdempotencyKey = 255

// idempotencyKey is the Idempotency-Key of a request, "" for none.
//
// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
func idempotencyKey(header http.Header) (string, *problem) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > maxIdempotencyKey {
		return "", badRequest.of("An Idempotency-Key has 1 to 255 characters and comes once.")
	}
	return values[0], nil
}

// errKeyRace says that another request with the same Idempotency-Key was a moment quicker.
var errKeyRace = errors.New("the Idempotency-Key was taken at this very moment")

// startOnce starts a verification, unless its key came before.
func startOnce(ctx context.Context, tx *store.Tx, request verification.Request, key string, fields map[string]string) (verification.Verification, error) {
	if key == "" {
		v, _, err := verification.Start(ctx, tx, request)
		return v, err
	}
	hash := sha256.Sum256([]byte(key))
	keyHash := hex.EncodeToString(hash[:])
	digest := requestDigest(key, fields)
	before, err := tx.GetIdempotencyKey(ctx, db.GetIdempotencyKeyParams{Tenant: request.Tenant, Key: keyHash})
	switch {
	case err == nil && before.Digest != digest:
		return verification.Verification{}, keyReused.of("Use a new key for each new request.")
	case err == nil:
		return verification.Get(ctx, tx, request.Tenant, before.VerificationID)
	case !errors.Is(err, sql.ErrNoRows):
		return verification.Verification{}, err
	}
	v, _, err := verification.Start(ctx, tx, request)
	if err != nil {
		return v, err
	}
	n, err := tx.AddIdempotencyKey(ctx, db.AddIdempotencyKeyParams{
		Tenant: request.Tenant, Key: keyHash, Digest: digest, VerificationID: v.ID, At: store.Millis(tx.Now()),
	})
	if err == nil && n == 0 {
		err = errKeyRace
	}
	return v, err
}

// requestDigest tells whether two requests ask for the same. It is keyed with the Idempotency-Key, of which the database knows only a hash, so that a
// code that the app supplied cannot be found by trying all.
func requestDigest(key string, fields map[string]string) string {
	mac := hmac.New(sha256.New, []byte(key))
	for _, name := range []string{"phone", "code", "locale"} {
		value, given := fields[name]
		mac.Write([]byte(name + strconv.FormatBool(given) + strconv.Itoa(len(value)) + ":" + value))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// checkVerification presents a code. Only the right one, in time and for the first time, is answered 200.
func (s *Server) checkVerification(r apiRequest) (apiAnswer, error) {
	code, given := r.fields["code"]
	if !given {
		return apiAnswer{}, badField.on("code", "It is missing.")
	}
	var checked verification.Checked
	err := s.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		checked, err = verification.Check(ctx, tx, r.tenant.Slug, r.Param("id"), code)
		return err
	})
	if err == nil {
		checked, err = verification.Await(r.ctx, s.Store, checked)
	}
	if err != nil {
		return apiAnswer{}, err
	}
	switch checked.Verdict {
	case verification.Right:
		return apiAnswer{status: http.StatusOK, body: show(checked.Verification)}, nil
	case verification.Wrong:
		return apiAnswer{}, wrongCode.of("It has been counted as an attempt.").about(checked.Verification)
	case verification.Asked:
		return apiAnswer{}, undecided.of("Twilio Verify has not said whether the code is right. Show the verification later to see.").about(checked.Verification)
	case verification.Blocked:
		return apiAnswer{}, &verification.WaitError{Err: verification.ErrBlocked, Until: checked.Until}
	}
	return apiAnswer{}, &standingError{verification.ErrGone, checked.Verification}
}

// standingError is a refusal by the rule with the verification as it stands.
type standingError struct {
	err error
	v   verification.Verification
}

func (e *standingError) Error() string { return e.err.Error() }
func (e *standingError) Unwrap() error { return e.err }

// resendVerification texts the code again.
func (s *Server) resendVerification(r apiRequest) (apiAnswer, error) {
	return s.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		return verification.Resend(ctx, tx, r.tenant.Slug, r.Param("id"), r.tenant.CodeText)
	})
}

// cancelVerification calls a verification off.
func (s *Server) cancelVerification(r apiRequest) (apiAnswer, error) {
	return s.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		return verification.Cancel(ctx, tx, r.tenant.Slug, r.Param("id"), "app")
	})
}

// showVerification shows one verification.
func (s *Server) showVerification(r apiRequest) (apiAnswer, error) {
	var v verification.Verification
	err := s.Store.Read(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = verification.Get(ctx, tx, r.tenant.Slug, r.Param("id"))
		return err
	})
	return apiAnswer{status: http.StatusOK, body: show(v)}, err
}

// change runs f and shows what it returns.
func (s *Server) change(r apiRequest, f func(ctx context.Context, tx *store.Tx) (verification.Verification, error)) (apiAnswer, error) {
	var v verification.Verification
	err := s.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = f(ctx, tx)
		return err
	})
	if err != nil {
		return apiAnswer{}, &standingError{err, v}
	}
	return apiAnswer{status: http.StatusOK, body: show(v)}, nil
}

// The verifications of one page of the list.
const (
	defaultPage = 20
	maxPage     = 100
)

// listVerifications lists the tenant's verifications, whatever door they came through, the newest first.
func (s *Server) listVerifications(r apiRequest) (apiAnswer, error) {
	limit, before, p := readPage(r.QueryParams())
	if p != nil {
		return apiAnswer{}, p
	}
	var all []verification.Verification
	err := s.Store.Read(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = verification.List(ctx, tx, r.tenant.Slug, before, limit+1)
		return err
	})
	if err != nil {
		return apiAnswer{}, err
	}
	page := struct {
		Verifications []shownVerification `json:"verifications"`
		Next          string              `json:"next,omitempty"` // what before must be for the next page
	}{Verifications: []shownVerification{}}
	for _, v := range all[:min(limit, len(all))] {
		page.Verifications = append(page.Verifications, show(v))
	}
	if len(all) > limit {
		page.Next = all[limit-1].ID
	}
	return apiAnswer{status: http.StatusOK, body: page}, nil
}

// readPage reads the query of the list.
func readPage(query map[string][]string) (limit int, before string, p *problem) {
	limit = defaultPage
	for name, values := range query {
		var err error
		switch {
		case len(values) != 1:
			err = errRepeated
		case name == "limit":
			if limit, err = strconv.Atoi(values[0]); err == nil && (limit < 1 || limit > maxPage) {
				err = strconv.ErrRange
			}
		case name == "before":
			before = values[0]
			_, err = uuid.Parse(before)
		default:
			return 0, "", badRequest.of("The query has a parameter that is not known here.")
		}
		if err != nil {
			return 0, "", badField.on(name, "limit is 1 to 100, before is the next of another page.")
		}
	}
	return limit, before, nil
}
