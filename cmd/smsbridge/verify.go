package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/phonemail"
)

// The longer helps are in verifyHelps, since a tag cannot be broken into lines.
type verifyCommand struct {
	Phone  string `arg:"" help:"The phone to text a code to, such as +4512345678."`
	URL    string `help:"${verify_at}" env:"SMSBRIDGE_PUBLIC_URL" placeholder:"https://bridge.example"`
	Key    string `help:"${verify_key}" env:"SMSBRIDGE_API_KEY" placeholder:"KEY"`
	Locale string `help:"Language of the text, such as da." placeholder:"TAG"`
}

// verifyHelps returns the longer helps of the flags, by the names that their tags have.
func verifyHelps() kong.Vars {
	return kong.Vars{
		"verify_at": "Where the running bridge answers.",
		"verify_key": "An API key of the tenant; of several, the first is used. " +
			"Better in the variable than on the command line, where others can see it.",
	}
}

// Help is shown by smsbridge verify --help.
func (verifyCommand) Help() string {
	return "Texts a code through the running bridge, asks for it here, and says whether it was " +
		"right. An empty line sends the code again. The exit status is 0 when the phone is " +
		"verified, 1 when it is not, and 2 when the question could not be put."
}

// apiVerification is what of a verification the conversation needs.
type apiVerification struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	Attempts    int       `json:"attempts"`
	MaxAttempts int       `json:"max_attempts"`
	Expires     time.Time `json:"expires_at"`
}

// apiProblem is a problem document of RFC 9457, as the bridge responds with.
type apiProblem struct {
	Type         string           `json:"type"`
	Title        string           `json:"title"`
	Detail       string           `json:"detail"`
	Verification *apiVerification `json:"verification"`

	wait time.Duration // when trying again may help, as Retry-After says; 0 for never
}

// Error says to a person what the problem is, and how long to wait where that helps. The detail
// of a problem that passes is for programs: it names a header.
func (p apiProblem) Error() string {
	switch {
	case p.wait > 0:
		return p.Title + ". Try again in " + p.wait.String() + "."
	case p.Detail != "":
		return p.Title + ": " + p.Detail
	}
	return p.Title
}

// Run starts a verification and checks what is typed until it ends.
func (v verifyCommand) Run(ctx context.Context, w world) error {
	if _, err := phonemail.ParseNumber(v.Phone); err != nil {
		return mistake{v.Phone + " is not a phone number that exists anywhere",
			"write it with country code and without spaces, such as +4512345678"}
	}
	base, err := url.Parse(v.URL)
	if err != nil || base.Host == "" {
		return mistake{"it is not known where the bridge answers",
			"give --url https://bridge.example, or set SMSBRIDGE_PUBLIC_URL"}
	}
	key, _, _ := strings.Cut(v.Key, ",")
	if key = strings.TrimSpace(key); key == "" {
		return mistake{"there is no API key", "set SMSBRIDGE_API_KEY to one of the tenant's keys"}
	}
	api := verifyAPI{base: strings.TrimRight(v.URL, "/") + "/v1/verifications", key: key}
	fields := map[string]string{"phone": v.Phone}
	if v.Locale != "" {
		fields["locale"] = v.Locale
	}
	started, err := api.post(ctx, "", fields)
	if err != nil {
		return notStarted(err)
	}
	fmt.Fprintf(w.stdout, "A code is on its way to %s. It counts until %s.\n", v.Phone,
		started.Expires.Local().Format(time.TimeOnly+" MST"))
	return v.converse(ctx, w, api, started)
}

// notStarted says what a person can do about a verification that the bridge would not start.
func notStarted(err error) error {
	var problem apiProblem
	switch {
	case !errors.As(err, &problem):
		return mistake{err.Error(), "is the bridge running, and is this its address?"}
	case strings.HasSuffix(problem.Type, ":unauthorized"):
		return mistake{"the bridge does not know this API key",
			"compare SMSBRIDGE_API_KEY with that of the running bridge"}
	}
	return mistake{problem.Error(), "nothing was texted"}
}

// converse reads lines: a code to check, or an empty one to have the code texted again.
func (v verifyCommand) converse(
	ctx context.Context, w world, api verifyAPI, started apiVerification,
) error {
	lines := bufio.NewScanner(untilDone(ctx, w.stdin))
	for {
		fmt.Fprint(w.stdout, "Code: ")
		if !lines.Scan() {
			_, err := api.post(context.WithoutCancel(ctx), "/"+started.ID+"/cancel", nil)
			fmt.Fprintln(w.stdout)
			return errors.Join(errors.New("no code was given; the verification is canceled"), err)
		}
		path, fields := "/"+started.ID+"/check", map[string]string{"code": lines.Text()}
		if strings.TrimSpace(lines.Text()) == "" {
			path, fields = "/"+started.ID+"/resend", nil
		}
		now, err := api.post(ctx, path, fields)
		var problem apiProblem
		switch {
		case errors.As(err, &problem):
			if problem.Verification != nil && problem.Verification.Status != "pending" {
				return fmt.Errorf("%s is not verified: %s", v.Phone,
					strings.ReplaceAll(problem.Verification.Status, "_", " "))
			}
			fmt.Fprintln(w.stdout, problem.Error())
		case err != nil:
			return err
		case fields == nil:
			fmt.Fprintln(w.stdout, "The code is on its way once more.")
		case now.Status == "approved":
			fmt.Fprintf(w.stdout, "%s is verified.\n", v.Phone)
			return nil
		}
	}
}

// verifyAPI speaks with the bridge.
type verifyAPI struct{ base, key string }

const verifyTimeout = 15 * time.Second

func (a verifyAPI) post(
	ctx context.Context, path string, fields map[string]string,
) (apiVerification, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	var body io.Reader
	if fields != nil {
		raw, err := json.Marshal(fields)
		if err != nil {
			return apiVerification{}, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, body)
	if err != nil {
		return apiVerification{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return apiVerification{}, fmt.Errorf("the bridge does not answer: %s", reason(err))
	}
	defer res.Body.Close()
	answer := json.NewDecoder(io.LimitReader(res.Body, 1<<20))
	if res.StatusCode >= 300 {
		var problem apiProblem
		if err := answer.Decode(&problem); err != nil || problem.Title == "" {
			return apiVerification{}, fmt.Errorf("the bridge answered with status %d and no reason",
				res.StatusCode)
		}
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		problem.wait = time.Duration(seconds) * time.Second
		return apiVerification{}, problem
	}
	var v apiVerification
	if err := answer.Decode(&v); err != nil {
		return apiVerification{}, errors.New("the bridge's answer cannot be read")
	}
	return v, nil
}
