package linkclick

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// kratos is Ory Kratos. Its link begins a flow, and how the flow stands is asked for as JSON. A
// link with a token redeems itself. A link with a code only fills in the form of the flow, which
// must be posted with the cookie that the link sets.
//
// Sources: ory.com/docs/kratos/self-service/flows/verify-email-account-activation;
// ory.com/docs/kratos/concepts/ui-user-interface, "UI error codes".
var kratos = provider{
	name: "kratos",
	shapes: []shape{
		{path: "/self-service/verification", query: "flow token",
			kind: KindVerify, recipe: RecipeKratos},
		{path: "/self-service/verification", query: "flow code",
			kind: KindVerify, recipe: RecipeKratos},
		{path: "/self-service/recovery", query: "flow", kind: KindReset, recipe: RecipeUser},
	},
	footers: []string{"ory"},
	recipe:  recipe{name: RecipeKratos, redeemer: kratosRecipe{}},
	phrases: map[Outcome][]string{
		OutcomeAlready: {"already completed successfully"},
		OutcomeExpired: {"flow expired"},
	},
}

// RecipeKratos is a GET, then the flow as JSON, then the post of its code if the link has one.
const RecipeKratos = "kratos"

// kratosRecipe begins a kratosFlow.
type kratosRecipe struct{}

// kratosFlow is one verification flow: the link, which sets a cookie and leads to the page of the
// flow, wherever that is; the flow as JSON; its form, if the link has a code; and the end.
type kratosFlow struct {
	*click
	public string // base URL
	code   string // empty if the link redeems itself
	id     string // of the flow
}

func (kratosRecipe) start(k *click) (request, bool) {
	query := k.link.Query()
	folder, _, found := strings.Cut(k.link.EscapedPath(), "/self-service/")
	f := &kratosFlow{
		click: k, public: cmp.Or(k.Rule.API, originOf(k.link)+folder),
		code: query.Get("code"), id: query.Get("flow"),
	}
	k.take = f.opened
	complete := f.id != "" && (f.code != "" || query.Get("token") != "")
	return request{to: k.link}, found && complete
}

// opened takes the response to the link, or to the form of a flow. What it says is in the flow that
// it leads to.
func (f *kratosFlow) opened(a response) request {
	if to, err := a.to.Parse(a.location); a.isRedirect() && err == nil {
		f.id = cmp.Or(to.Query().Get("flow"), f.id) // another flow if this one failed
		return f.ask()
	}
	return f.shownFlow(a)
}

// ask asks for the flow.
func (f *kratosFlow) ask() request {
	flow := f.public + "/self-service/verification/flows?id=" + url.QueryEscape(f.id)
	to, why := f.Rule.judge(flow)
	if why != "" {
		return f.end(OutcomeNeedsUser, ReasonRecipe)
	}
	f.take = f.shownFlow
	return request{to: to, api: true}
}

// shownFlow reads a flow, or the error in its place.
func (f *kratosFlow) shownFlow(a response) request {
	flow := readFields(a)
	outcome := f.judge(a, flow)
	waits := flow.text("state") == "sent_email" && f.code != "" && !f.posted
	if outcome == OutcomeUnknown && waits {
		if next, ok := f.submitCode(flow); ok {
			f.take = f.opened
			return next
		}
	}
	return f.said(a, outcome)
}

// judge tells how a flow stands. Messages count before the state, since a flow that failed may be
// in the state it was in before.
func (f *kratosFlow) judge(a response, flow fields) Outcome {
	list, _ := flow.at("ui", "messages").([]any)
	for _, item := range list {
		message, _ := item.(map[string]any)
		if message["type"] != "error" {
			continue
		}
		text, _ := message["text"].(string)
		if said := f.hear(text, false); said != OutcomeUnknown {
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

// kratosError knows the errors by number, whatever language their text is in.
func kratosError(id any) Outcome {
	switch id {
	case 4070001.0, 4070006.0: // invalid or used; the token or code of a mail is hardly invalid
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
