//go:build !race

package inbound_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/azuredurable"
)

func doors() []door {
	return []door{apiDoor(), flowrouteServiceDoor(), durableFunctionsDoor(), textDoor()}
}

// knownStates are the states in which our own API and everything like it finds a verification
// that it knows.
func knownStates() []string { return append(endedStates(), statePending) }

// apiDoor is our own API, as openapi.yaml describes it.
func apiDoor() door {
	call := func(method, rest, body string) func(s *subject) heard {
		return func(s *subject) heard {
			return s.hear(s.Call(method, "/v1/verifications/"+s.id+rest, body))
		}
	}
	create := func(headers ...string) func(s *subject) inboundtest.APIResponse {
		return func(s *subject) inboundtest.APIResponse {
			return s.Call(
				"POST",
				"/v1/verifications",
				`{"phone":"`+s.phone.E164()+`","code":"`+ownCode+`"}`,
				headers...)
		}
	}
	optOut := func(rest, more string) func(s *subject) heard {
		return func(s *subject) heard {
			body := `{"phone":"` + s.phone.E164() + `"` + more + `}`
			return s.hear(s.Call("POST", "/v1/opt-outs"+rest, body))
		}
	}
	question := func(method, rest string) func(s *subject) heard {
		return func(s *subject) heard {
			return s.hear(s.Call(method, "/v1/questions/"+s.id+rest, ""))
		}
	}
	createOnce := func(s *subject) inboundtest.APIResponse {
		return create("Idempotency-Key: " + s.external)(s)
	}
	return door{
		name: "api",
		stands: map[string]string{
			statePending: "pending", stateApproved: "approved", stateCanceled: "canceled",
			stateOverdue: "expired", stateExpired: "expired", stateExhausted: "max_attempts_reached",
			stateRefused: "failed",
			stateUnknown: "not-found",
		},
		start: func(s *subject) { require.Equal(s.T, http.StatusCreated, createOnce(s).StatusCode) },
		look:  func(s *subject) string { return call("GET", "", "")(s).says },
		operations: map[string]func(s *subject) heard{
			"create":       func(s *subject) heard { return s.hear(create()(s)) },
			"create again": func(s *subject) heard { return s.hear(createOnce(s)) },
			"show":         call("GET", "", ""),
			"list":         (*subject).list,
			"check right":  func(s *subject) heard { return s.hear(s.Check(s.id, s.code)) },
			"check wrong": func(s *subject) heard {
				return s.hear(s.Check(s.id, inboundtest.OtherCode(s.code)))
			},
			"resend soon": call("POST", "/resend", ""),
			"resend": func(s *subject) heard {
				s.Bridge.Now = s.Bridge.Now.Add(time.Minute)
				return call("POST", "/resend", "")(s)
			},
			"cancel":  call("POST", "/cancel", ""),
			"opt out": optOut("", `,"via":"mail"`),
			"ask in vain": func(s *subject) heard {
				return s.hear(s.Call("POST", "/v1/questions",
					`{"phone":"`+s.phone.E164()+`","subject":"www.acme.example?"}`))
			},
			"show a question":   question("GET", ""), // a verification is none
			"cancel a question": question("POST", "/cancel"),
			"find opt-outs":     optOut("/find", ""),
			"remove opt-outs":   optOut("/remove", ""),
		},
		answer: []string{"check right"},
		table: []expectation{
			{"create", append(knownStates(), stateUnknown), 201, "pending", "+ pending 0/1"},
			{"create again", knownStates(), 201, "{}", ""},
			{"create again", []string{stateUnknown}, 201, "pending", "+ pending 0/1"},
			{"show", knownStates(), 200, "{}", ""},
			{"opt out", append(endedStates(), stateUnknown), 200, "", ""},
			{"opt out", []string{statePending}, 200, "", "canceled 0/1"},
			{"ask in vain", append(knownStates(), stateUnknown), 422, "invalid-field", ""},
			{"show a question", append(knownStates(), stateUnknown), 404, "not-found", ""},
			{"cancel a question", append(knownStates(), stateUnknown), 404, "not-found", ""},
			{"find opt-outs", append(knownStates(), stateUnknown), 200, "", ""},
			{"remove opt-outs", append(knownStates(), stateUnknown), 200, "", ""},
			{"show", []string{stateUnknown}, 404, "not-found", ""},
			{"list", knownStates(), 200, "{}", ""},
			{"list", []string{stateUnknown}, 200, "not in it", ""},
			{"check right", []string{statePending}, 200, "approved", "approved 1/1"},
			{"check right", endedStates(), 409, "not-pending {}", ""},
			{"check right", []string{stateUnknown}, 404, "not-found", ""},
			{"check wrong", []string{statePending}, 422, "wrong-code pending", "pending 1/1"},
			{"check wrong", endedStates(), 409, "not-pending {}", ""},
			{"check wrong", []string{stateUnknown}, 404, "not-found", ""},
			{"resend soon", []string{statePending}, 429, "too-soon", ""},
			{"resend soon", endedStates(), 409, "not-pending {}", ""},
			{"resend soon", []string{stateUnknown}, 404, "not-found", ""},
			{"resend", []string{statePending}, 200, "pending", "pending 0/2"},
			{"resend", endedStates(), 409, "not-pending {}", ""},
			{"resend", []string{stateUnknown}, 404, "not-found", ""},
			{"cancel", []string{statePending}, 200, "canceled", "canceled 0/1"},
			{"cancel", endedStates(), 409, "not-pending {}", ""},
			{"cancel", []string{stateUnknown}, 404, "not-found", ""},
		},
	}
}

// hear is the response of the API: a status, or a problem and the status that is the reason.
func (s *subject) hear(r inboundtest.APIResponse) heard {
	says := r.Kind()
	if says == "" {
		says = r.Verification.Status
	} else if r.Problem.Verification != nil {
		says += " " + r.Problem.Verification.Status
	}
	return heard{r.StatusCode, says}
}

func (s *subject) list() heard {
	r := s.Call("GET", "/v1/verifications?limit=5", "")
	var page struct{ Verifications []inboundtest.Verification }
	require.NoError(s.T, json.Unmarshal([]byte(r.Body), &page))
	for _, v := range page.Verifications {
		if v.ID == s.id {
			return heard{r.StatusCode, v.Status}
		}
	}
	return heard{r.StatusCode, "not in it"}
}

// flowrouteServiceDoor is the door for clients of Flowroute's service, which forgets what has
// ended, so that it is as unknown as what never was.
func flowrouteServiceDoor() door {
	hear := func(r inboundtest.Response) heard {
		var a inboundtest.FlowrouteResponse
		if json.Unmarshal([]byte(r.Body), &a) != nil || a.AttemptsLeft == nil {
			return heard{r.StatusCode, a.Message}
		}
		return heard{r.StatusCode, a.Reason + " " + strconv.Itoa(*a.AttemptsLeft)}
	}
	create := func(s *subject) heard {
		return hear(s.flowroute.Create(s.T, `"`+s.external+`"`, `"`+s.phone.E164()+`"`))
	}
	post := func(s *subject, code string) heard {
		return hear(
			s.flowroute.PostJSON(
				s.T,
				s.flowroute.Endpoint+"/check",
				`{"auth_id":"`+s.external+`","code":"`+code+`"}`,
			),
		)
	}
	d := door{
		name: "flowroute",
		stands: map[string]string{
			statePending:   "",
			stateApproved:  "",
			stateCanceled:  "",
			stateOverdue:   "",
			stateExpired:   "",
			stateExhausted: "",
			stateRefused:   "",
			stateUnknown:   "",
		},
		start: func(s *subject) { require.Equal(s.T, http.StatusOK, create(s).status) },
		operations: map[string]func(s *subject) heard{
			"POST": create,
			"GET right": func(s *subject) heard {
				return hear(s.flowroute.Check(s.T, s.external, s.code))
			},
			"GET wrong": func(s *subject) heard {
				return hear(s.flowroute.Check(s.T, s.external, inboundtest.OtherCode(s.code)))
			},
			"POST check right": func(s *subject) heard { return post(s, s.code) },
			"POST check wrong": func(s *subject) heard { return post(s, inboundtest.OtherCode(s.code)) },
		},
		answer: []string{"GET right", "POST check right"},
		table: []expectation{
			{
				"POST",
				[]string{statePending},
				200,
				"Success: Verification code created.",
				"canceled 0/1; + pending 0/1",
			},
			{
				"POST",
				append(endedStates(), stateUnknown),
				200,
				"Success: Verification code created.",
				"+ pending 0/1",
			},
		},
	}
	for _, check := range []string{"GET", "POST check"} {
		d.table = append(
			d.table,
			expectation{
				check + " right",
				[]string{statePending},
				200,
				"Success: Authorization code verified.",
				"approved 1/1",
			},
			expectation{check + " wrong", []string{statePending}, 400, "InvalidAuthCode 2", "pending 1/1"},
		)
		for _, code := range []string{" right", " wrong"} {
			d.table = append(
				d.table,
				expectation{check + code, []string{stateOverdue, stateExpired}, 400, "ExpiredAuthCode 0", ""},
				expectation{
					check + code,
					[]string{stateApproved, stateCanceled, stateExhausted, stateUnknown},
					400,
					"UnknownAuthId 0",
					"",
				},
				expectation{check + code, []string{stateRefused}, 500, "SendingFailed 0", ""},
			)
		}
	}
	return d
}

// textDoor is a reply by text. It gets no response: what it does shows at the other doors.
func textDoor() door {
	texting := func(body func(s *subject) string) func(s *subject) heard {
		return func(s *subject) heard {
			s.replies++
			form := inboundtest.ReplyForm(100*s.n+s.replies, body(s))
			form.Set("From", s.phone.E164())
			r := s.Reply(s.T, form)
			return heard{r.StatusCode, strings.TrimSuffix(r.Body, emptyTwiML)}
		}
	}
	d := door{
		name: "text",
		stands: map[string]string{
			statePending:   "",
			stateApproved:  "",
			stateCanceled:  "",
			stateOverdue:   "",
			stateExpired:   "",
			stateExhausted: "",
			stateRefused:   "",
			stateUnknown:   "",
		},
		start: apiDoor().start,
		operations: map[string]func(s *subject) heard{
			"right code": texting(func(s *subject) string { return s.code }),
			"wrong code": texting(func(s *subject) string { return inboundtest.OtherCode(s.code) }),
		},
		answer: []string{"right code"},
		table: []expectation{
			{"right code", []string{statePending}, 200, "", "approved 1/1"},
			{"right code", append(endedStates(), stateUnknown), 200, "", ""},
			{"wrong code", []string{statePending}, 200, "", "pending 1/1"},
			{"wrong code", append(endedStates(), stateUnknown), 200, "", ""},
			{"STOP", []string{statePending}, 200, "", "canceled 0/1"},
			{"STOP", append(endedStates(), stateUnknown), 200, "", ""},
		},
	}
	for _, word := range []string{"STOP", "START", "HELP", "YES", "NO", "Thanks!"} {
		d.operations[word] = texting(func(*subject) string { return word })
		if word != "STOP" {
			d.table = append(d.table, expectation{word, append(knownStates(), stateUnknown), 200, "", ""})
		}
	}
	return d
}

const (
	saysFailed = `Failed "The activity function 'E4_SendSmsChallenge' failed: the phone ` +
		`cannot be texted now."`
	saysRefused = `Failed "The activity function 'E4_SendSmsChallenge' failed: the text ` +
		`was refused (number_invalid)."`
	saysNotPurge   = `"Only orchestrations in a terminal state can be purged."`
	saysNotRewound = `"Only orchestrations in the \"Failed\" state can be rewound."`
)

// durableFunctionsDoor is the door for clients of Azure Durable Functions.
func durableFunctionsDoor() door {
	start := func(s *subject) heard {
		return s.hearDurable(
			s.durable.Ask(
				"POST",
				inboundtest.DurableBase+"/orchestrators/"+azuredurable.Function+"/"+s.external,
				`"`+s.phone.E164()+`"`,
			),
		)
	}
	ask := func(method, rest string) func(s *subject) heard {
		return func(s *subject) heard {
			return s.hearDurable(s.durable.Ask(method, inboundtest.DurableInstancePath(s.external)+rest, ""))
		}
	}
	raise := func(name string, code func(s *subject) string) func(s *subject) heard {
		return func(s *subject) heard {
			return s.hearDurable(
				s.durable.Ask(
					"POST",
					inboundtest.DurableInstancePath(s.external)+"/raiseEvent/"+name,
					`"`+code(s)+`"`,
				),
			)
		}
	}
	right, wrong := func(s *subject) string { return s.code }, func(s *subject) string {
		return inboundtest.OtherCode(s.code)
	}
	return door{
		name: "durable",
		stands: map[string]string{
			statePending: "Running null", stateApproved: "Completed true", stateCanceled: "Canceled null",
			stateOverdue: "Completed false", stateExpired: "Completed false",
			stateExhausted: "Completed false", stateRefused: saysRefused, stateUnknown: "",
			stateSuspended: "Suspended null",
			stateHidden:    "Suspended null", stateTerminated: `Terminated "why"`, stateFailed: saysFailed,
		},
		start: func(s *subject) { require.Equal(s.T, http.StatusAccepted, start(s).status) },
		look:  func(s *subject) string { return ask("GET", "")(s).says },
		operations: map[string]func(s *subject) heard{
			"start":            start,
			"status":           ask("GET", ""),
			"list":             (*subject).listDurable,
			"raise right":      raise(azuredurable.Event, right),
			"raise wrong":      raise(azuredurable.Event, wrong),
			"raise other":      raise("Other", right),
			"terminate":        ask("POST", "/terminate?reason=enough"),
			"suspend":          ask("POST", "/suspend?reason=enough"),
			"resume":           ask("POST", "/resume?reason=enough"),
			"rewind":           ask("POST", "/rewind?reason=enough"),
			"restart":          ask("POST", "/restart"),
			"restart in place": ask("POST", "/restart?restartWithNewInstanceId=false"),
			"purge":            ask("DELETE", ""),
			"purge by filter": func(s *subject) heard {
				since := url.Values{"createdTimeFrom": {s.began.UTC().Format(time.RFC3339)}}
				return s.hearDurable(
					s.durable.Ask("DELETE", inboundtest.DurableBase+"/instances?"+since.Encode(), ""),
				)
			},
		},
		answer: []string{"raise right"},
		table:  append(durableSteps(), durableStarts()...),
	}
}

// finishedStates are the states in which an instance stays.
func finishedStates() []string { return append(endedStates(), stateTerminated, stateFailed) }

// durableSteps are the expectations of what shows or moves an instance.
func durableSteps() []expectation {
	all := []expectation{
		{"status", []string{statePending, stateSuspended, stateHidden}, 202, "{}", ""},
		{"status", finishedStates(), 200, "{}", ""},
		{"status", []string{stateUnknown}, 404, "", ""},
		{"list", append(finishedStates(), statePending, stateSuspended, stateHidden), 200, "{}", ""},
		{"list", []string{stateUnknown}, 200, "not in it", ""},
		{"raise right", []string{statePending}, 202, "", "Completed true; approved 1/1"},
		{"raise right", []string{stateSuspended}, 202, "", "approved 1/1"}, // and no caller sees it
		{"raise right", []string{stateHidden}, 202, "", ""},
		{"raise wrong", []string{statePending, stateSuspended}, 202, "", "pending 1/1"},
		{"raise wrong", []string{stateHidden}, 202, "", ""},
		{"raise other", []string{statePending, stateSuspended, stateHidden}, 202, "", ""},
		{
			"terminate",
			[]string{statePending, stateSuspended},
			202,
			"",
			`Terminated "enough"; canceled 0/1`,
		},
		{"terminate", []string{stateHidden}, 202, "", `Terminated "enough"`},
		{"suspend", []string{statePending}, 202, "", "Suspended null"},
		{"suspend", []string{stateSuspended, stateHidden}, 202, "", ""},
		{"resume", []string{statePending}, 202, "", ""},
		{"resume", []string{stateSuspended}, 202, "", "Running null"},
		{"resume", []string{stateHidden}, 202, "", "Completed true"},
	}
	for _, step := range []string{
		"raise right", "raise wrong", "raise other", "terminate", "suspend", "resume",
	} {
		all = append(
			all,
			expectation{step, finishedStates(), 410, "", ""},
			expectation{step, []string{stateUnknown}, 404, "", ""},
		)
	}
	return all
}

// durableStarts are the expectations of what begins or forgets an instance.
func durableStarts() []expectation {
	const running = "An instance with this id is not finished."
	unfinished := []string{statePending, stateSuspended, stateHidden}
	return []expectation{
		{"start", unfinished, 409, running, ""},
		{
			"start",
			append(finishedStates(), stateUnknown),
			202,
			"started in place",
			"Running null; + pending 0/1",
		},
		{"restart", append(finishedStates(), unfinished...), 202, "started anew", "+ pending 0/1"},
		{
			"restart",
			[]string{stateUnknown},
			400,
			"InstanceId does not match a valid orchestration instance.",
			"",
		},
		{"restart in place", unfinished, 409, running, ""},
		{"restart in place", finishedStates(), 202, "started in place", "Running null; + pending 0/1"},
		{
			"restart in place",
			[]string{stateUnknown},
			400,
			"InstanceId does not match a valid orchestration instance.",
			"",
		},
		{"rewind", unfinished, 412, saysNotRewound, ""},
		{
			"rewind",
			[]string{
				stateApproved, stateCanceled, stateOverdue, stateExpired, stateExhausted, stateTerminated,
			},
			410,
			"",
			"",
		},
		{"rewind", []string{stateFailed, stateRefused}, 202, "", "Running null; + pending 0/1"},
		{"rewind", []string{stateUnknown}, 404, "", ""},
		{"purge", unfinished, 412, saysNotPurge, ""},
		{"purge", finishedStates(), 200, `{"instancesDeleted":1}`, "gone"},
		{"purge", []string{stateUnknown}, 404, "", ""},
		{"purge by filter", append(unfinished, stateUnknown), 404, "", ""},
		{"purge by filter", finishedStates(), 200, `{"instancesDeleted":1}`, "gone"},
	}
}

// hearDurable is the response of the Durable door: how an instance stands, which one was started,
// why not, or the body as it is.
func (s *subject) hearDurable(r inboundtest.Response) heard {
	var a struct {
		ID, Message, RuntimeStatus string
		Output                     json.RawMessage
	}
	switch err := json.Unmarshal([]byte(r.Body), &a); {
	case err != nil:
	case a.RuntimeStatus != "":
		return heard{r.StatusCode, a.RuntimeStatus + " " + string(a.Output)}
	case a.ID == s.external:
		return heard{r.StatusCode, "started in place"}
	case a.ID != "":
		return heard{r.StatusCode, "started anew"}
	case a.Message != "":
		return heard{r.StatusCode, a.Message}
	}
	return heard{r.StatusCode, r.Body}
}

func (s *subject) listDurable() heard {
	r := s.durable.Ask("GET", inboundtest.DurableBase+"/instances?instanceIdPrefix="+s.external, "")
	var all []inboundtest.DurableInstance
	require.NoError(s.T, json.Unmarshal([]byte(r.Body), &all))
	for _, i := range all {
		if i.InstanceID == s.external {
			return heard{r.StatusCode, string(i.RuntimeStatus) + " " + string(i.Output)}
		}
	}
	return heard{r.StatusCode, "not in it"}
}
