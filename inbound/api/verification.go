package api

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

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// doorName names this door in what it starts.
const doorName = "api"

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
func (d *Door) createVerification(r request) (response, error) {
	request, err := readRequest(r.tenant, r.fields)
	if err != nil {
		return response{}, err
	}
	key, p := idempotencyKey(r.Request().Header)
	if p != nil {
		return response{}, p
	}
	var v verification.Verification
	create := func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = startOnce(ctx, tx, request, key, r.fields)
		return err
	}
	err = d.Store.Do(r.ctx, create)
	if errors.Is(err, errKeyRace) {
		err = d.Store.Do(r.ctx, create)
	}
	if err != nil {
		return response{}, err
	}
	return response{http.StatusCreated, show(v), "/v1/verifications/" + v.ID}, nil
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
	request := verification.For(t, doorName, phone)
	if code, own := fields["code"]; own {
		if request.Code, err = verification.ParseCode(code); err != nil {
			return request, err
		}
	}
	if locale, asked := fields["locale"]; asked {
		known := false
		if request.Locale, known = tenant.CodeLocale(locale); !known {
			return request, web.BadField.On("locale", "Known are "+strings.Join(tenant.CodeLocales(), ", ")+".")
		}
	}
	return request, nil
}

// maxIdempotencyKey is the length of a key, in bytes.
const maxIdempotencyKey = 255

// idempotencyKey is the Idempotency-Key of a request, "" for none.
//
// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
func idempotencyKey(header http.Header) (string, *web.Problem) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > maxIdempotencyKey {
		return "", web.BadRequest.Of("An Idempotency-Key has 1 to 255 characters and comes once.")
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
		return verification.Verification{}, keyReused.Of("Use a new key for each new request.")
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
		Tenant: request.Tenant, Key: keyHash, Digest: digest, VerificationID: v.ID, At: tx.Moment(),
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
func (d *Door) checkVerification(r request) (response, error) {
	code, given := r.fields["code"]
	if !given {
		return response{}, web.BadField.On("code", "It is missing.")
	}
	var checked verification.Checked
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		checked, err = verification.Check(ctx, tx, r.tenant.Slug, r.Param("id"), code)
		return err
	})
	if err == nil {
		checked, err = verification.Await(r.ctx, d.Store, checked)
	}
	if err != nil {
		return response{}, err
	}
	switch checked.Verdict {
	case verification.Right:
		return response{status: http.StatusOK, body: show(checked.Verification)}, nil
	case verification.Wrong:
		return response{}, about(wrongCode.Of("It has been counted as an attempt."), checked.Verification)
	case verification.Asked:
		return response{}, about(undecided.Of("Twilio Verify has not said whether the code is right. Show the verification later to see."),
			checked.Verification)
	case verification.Blocked:
		return response{}, &verification.WaitError{Err: verification.ErrBlocked, Until: checked.Until}
	}
	return response{}, &standingError{verification.ErrGone, checked.Verification}
}

// resendVerification texts the code again.
func (d *Door) resendVerification(r request) (response, error) {
	return d.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		return verification.Resend(ctx, tx, r.tenant.Slug, r.Param("id"), r.tenant.CodeText)
	})
}

// cancelVerification calls a verification off.
func (d *Door) cancelVerification(r request) (response, error) {
	return d.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		return verification.Cancel(ctx, tx, r.tenant.Slug, r.Param("id"), "app")
	})
}

// showVerification shows one verification.
func (d *Door) showVerification(r request) (response, error) {
	var v verification.Verification
	err := d.Store.Read(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = verification.Get(ctx, tx, r.tenant.Slug, r.Param("id"))
		return err
	})
	return response{status: http.StatusOK, body: show(v)}, err
}

// change runs f and shows what it returns.
func (d *Door) change(r request, f func(ctx context.Context, tx *store.Tx) (verification.Verification, error)) (response, error) {
	var v verification.Verification
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = f(ctx, tx)
		return err
	})
	if err != nil {
		return response{}, &standingError{err, v}
	}
	return response{status: http.StatusOK, body: show(v)}, nil
}

// The verifications of one page of the list.
const (
	defaultPage = 20
	maxPage     = 100
)

// listVerifications lists the tenant's verifications, whatever door they came through, the newest first.
func (d *Door) listVerifications(r request) (response, error) {
	limit, before, p := readPage(r.QueryParams())
	if p != nil {
		return response{}, p
	}
	var all []verification.Verification
	err := d.Store.Read(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = verification.List(ctx, tx, r.tenant.Slug, before, limit+1)
		return err
	})
	if err != nil {
		return response{}, err
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
	return response{status: http.StatusOK, body: page}, nil
}

// readPage reads the query of the list.
func readPage(query map[string][]string) (limit int, before string, p *web.Problem) {
	limit = defaultPage
	for name, values := range query {
		var err error
		switch {
		case len(values) != 1:
			err = web.ErrRepeated
		case name == "limit":
			if limit, err = strconv.Atoi(values[0]); err == nil && (limit < 1 || limit > maxPage) {
				err = strconv.ErrRange
			}
		case name == "before":
			before = values[0]
			_, err = uuid.Parse(before)
		default:
			return 0, "", web.BadRequest.Of("The query has a parameter that is not known here.")
		}
		if err != nil {
			return 0, "", web.BadField.On(name, "limit is 1 to 100, before is the next of another page.")
		}
	}
	return limit, before, nil
}
