package linkclick

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// This file redeems the links that begin a flow of several calls with a
// cookie: those of Ory Kratos and authentik.

// kratosFlow is a verification flow of Ory Kratos: the link, which gives the
// browser its cookie and leads to the flow's page, wherever that is; the flow
// as JSON; its form, if the link came with a code; and the end
// (ory.com/docs/kratos/self-service/flows/verify-email-account-activation).
type kratosFlow struct {
	*click
	public string // base URL
	code   string // empty if the link redeems itself
	id     string // of the flow
}

func (k *click) startKratos(query url.Values) (request, bool) {
	folder, _, found := strings.Cut(k.link.EscapedPath(), "/self-service/")
	f := &kratosFlow{click: k, public: cmp.Or(k.Rule.API, originOf(k.link)+folder), code: query.Get("code"), id: query.Get("flow")}
	k.take = f.opened
	return request{to: k.link}, found && f.id != "" && (f.code != "" || query.Get("token") != "")
}

// opened takes the answer to the link, or to the form of a flow: what it says
// is in the flow that it leads to.
func (f *kratosFlow) opened(a answer) request {
	if to, err := a.to.Parse(a.location); a.isRedirect() && err == nil {
		f.id = cmp.Or(to.Query().Get("flow"), f.id) // another flow if this one failed
		return f.ask()
	}
	return f.shownFlow(a)
}

// ask asks for the flow.
func (f *kratosFlow) ask() request {
	to, why := f.Rule.judge(f.public + "/self-service/verification/flows?id=" + url.QueryEscape(f.id))
	if why != "" {
		return f.end(OutcomeNeedsUser, ReasonRecipe)
	}
	f.take = f.shownFlow
	return request{to: to, api: true}
}

// shownFlow reads a flow, or the error in its place.
func (f *kratosFlow) shownFlow(a answer) request {
	flow := readFields(a)
	outcome := f.judge(a, flow)
	if outcome == OutcomeUnknown && flow.text("state") == "sent_email" && f.code != "" && !f.posted {
		if next, ok := f.submitCode(flow); ok {
			f.take = f.opened
			return next
		}
	}
	return f.said(a, outcome)
}

// judge tells how a flow stands. Messages count before the state, since a flow
// that failed may be in the state it was in before.
func (f *kratosFlow) judge(a answer, flow fields) Outcome {
	list, _ := flow.at("ui", "messages").([]any)
	for _, item := range list {
		message, _ := item.(map[string]any)
		if message["type"] != "error" {
			continue
		}
		text, _ := message["text"].(string)
		if said := judgeWords(text, false); said != OutcomeUnknown {
			return said
		}
		return kratosError(message["id"])
	}
	switch {
	case flow.good && flow.text("state") == "passed_challenge":
		if f.code != "" && !f.posted {
			return OutcomeAlready
		}
		return OutcomeConfirmed
	case a.status == http.StatusGone:
		return OutcomeExpired
	case a.status == http.StatusNotFound:
		return OutcomeRefused
	}
	return OutcomeUnknown
}

// kratosError knows the errors by number, whatever language their text is in
// (ory.com/docs/kratos/concepts/ui-user-interface, "UI error codes").
func kratosError(id any) Outcome {
	switch id {
	case 4070001.0, 4070006.0: // the token or code is invalid or has been used; a mail's own is hardly invalid
		return OutcomeUsed
	case 4070005.0:
		return OutcomeExpired
	}
	return OutcomeRefused
}

// submitCode returns the POST of the flow's form with the code of the link.
func (f *kratosFlow) submitCode(flow fields) (request, bool) {
	to, why := f.Rule.judge(flow.text("ui", "action"))
	public, err := url.Parse(f.public)
	if why != "" || err != nil || !sameOrigin(to, public) {
		return request{}, false
	}
	form := url.Values{"code": {f.code}, "method": {"code"}}
	nodes, _ := flow.at("ui", "nodes").([]any)
	for _, item := range nodes {
		node, _ := item.(map[string]any)
		attributes, _ := node["attributes"].(map[string]any)
		if token, ok := attributes["value"].(string); ok && attributes["name"] == "csrf_token" {
			form.Set("csrf_token", token)
		}
	}
	return request{to: to, form: form, api: true}, true
}

// authentikFlow is a flow of authentik: the page, whose script asks the flow
// executor what comes next, and answers it. Since version 2025.4 a link from a
// mail is consented to first, so that no scanner uses it up
// (authentik/stages/email/flow.py).
type authentikFlow struct {
	*click
	executor *url.URL
}

func (k *click) startAuthentik() (request, bool) {
	folder, slug, found := strings.Cut(k.link.EscapedPath(), "/if/flow/")
	slug = strings.Trim(slug, "/")
	api := cmp.Or(k.Rule.API, originOf(k.link)+folder+"/api/v3")
	executor, why := k.Rule.judge(api + "/flows/executor/" + slug + "/?query=" + url.QueryEscape(k.link.RawQuery))
	f := &authentikFlow{click: k, executor: executor}
	k.take = f.page
	return request{to: k.link}, found && why == "" && slug != "" && !strings.Contains(slug, "/") && k.link.Query().Get("flow_token") != ""
}

// page takes the page of the flow, which is the same for every link.
func (f *authentikFlow) page(a answer) request {
	if a.status >= 400 {
		return f.browse(a)
	}
	f.take = f.stage
	return request{to: f.executor, api: true}
}

// stage does what the executor wants next, if that needs nobody.
func (f *authentikFlow) stage(a answer) request {
	if a.isRedirect() {
		to, err := a.to.Parse(a.location)
		if err != nil || !sameOrigin(to, f.executor) || to.Path != f.executor.Path {
			return f.end(OutcomeUnknown, ReasonLeft)
		}
		return request{to: f.executor, api: true}
	}
	stage := readFields(a)
	component := stage.text("component")
	if said := judgeWords(stage.words(), stage.good); said != OutcomeUnknown {
		return f.said(a, said)
	}
	switch {
	case !stage.good || component == "", component == "ak-stage-email", component == "ak-stage-flow-error":
		return f.said(a, OutcomeUnknown)
	case component == "ak-stage-access-denied":
		return f.said(a, OutcomeRefused)
	case component == "ak-stage-consent" && f.posted:
		return f.end(OutcomeUnknown, ReasonSecondQuestion)
	case component == "ak-stage-consent":
		return f.consent(stage)
	case component == "xak-flow-redirect" && !strings.Contains(stage.text("to"), "/if/flow/"):
		return f.said(a, OutcomeConfirmed)
	}
	return f.end(OutcomeNeedsUser, ReasonWantsInput)
}

func (f *authentikFlow) consent(stage fields) request {
	raw, err := json.Marshal(map[string]string{"component": "ak-stage-consent", "token": stage.text("token")})
	if err != nil {
		return f.end(OutcomeUnknown, ReasonRecipe)
	}
	header := http.Header{}
	for _, c := range f.jars.of(f.executor).Cookies(f.executor) {
		if c.Name == "authentik_csrf" {
			header.Set("X-Authentik-Csrf", c.Value)
		}
	}
	return request{to: f.executor, json: raw, api: true, header: header}
}
