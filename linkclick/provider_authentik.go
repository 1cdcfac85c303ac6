package linkclick

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// authentik is authentik. Its link shows the page of a flow, whose script asks the flow executor
// what comes next and answers it. Since version 2025.4 a link from a mail is consented to first,
// so that no scanner uses it up.
//
// A link that was used or is too old begins its flow anew. If the flow may not begin, for a policy
// or because it wants a session, the executor leads on to the "next" of the link: in the words with
// which it ends a flow that was passed.
//
// Sources: authentik/stages/email, templates, stage.py and flow.py;
// authentik/flows/views/executor.py, _check_flow_token, handle_invalid_flow, stage_ok, _flow_done.
var authentik = provider{
	name: "authentik",
	shapes: []shape{
		{path: "/if/flow/*", query: "flow_token", recipe: RecipeAuthentik},
	},
	tell:    flowKind,
	footers: []string{"authentik"},
	recipe:  recipe{name: RecipeAuthentik, redeemer: authentikRecipe{}},
}

// flowWords are the words of the slugs of flows whose kind is known. Those without a kind add
// nothing to it. The flows that authentik comes with are called default-recovery-flow and
// default-enrollment-flow.
var flowWords = map[string]Kind{
	"default": "", "flow": "", "email": "", "mail": "", "account": "", "user": "",
	"enroll": KindVerify, "enrol": KindVerify, "enrollment": KindVerify, "enrolment": KindVerify,
	"verify": KindVerify, "verification": KindVerify,
	"recover": KindReset, "recovery": KindReset, "password": KindReset, "reset": KindReset,
	"forgot": KindReset, "forgotten": KindReset,
}

// flowKind returns the kind by the slug of the flow, which the operator may choose. It tells the
// kind only if each of its words does: flows of one kind of name also add devices, remove accounts
// and approve.
func flowKind(_ Kind, path string, _ url.Values) Kind {
	path = strings.Trim(path, "/")
	var kind Kind
	for word := range strings.FieldsSeq(separated(path[strings.LastIndexByte(path, '/')+1:])) {
		told, listed := flowWords[word]
		if !listed || kind != "" && told != "" && told != kind {
			return ""
		}
		kind = cmp.Or(told, kind)
	}
	return kind
}

// RecipeAuthentik is a GET, then the flow's executor and its consent.
const RecipeAuthentik = "authentik"

// authentikRecipe begins an authentikFlow.
type authentikRecipe struct{}

// authentikFlow is one run of a flow.
type authentikFlow struct {
	*click
	executor *url.URL
	passed   bool // a stage: the executor redirects to itself after each but the last
}

func (authentikRecipe) start(k *click) (request, bool) {
	folder, slug, found := strings.Cut(k.link.EscapedPath(), "/if/flow/")
	slug = strings.Trim(slug, "/")
	api := cmp.Or(k.Rule.API, originOf(k.link)+folder+"/api/v3")
	query := "/?query=" + url.QueryEscape(k.link.RawQuery)
	executor, why := k.Rule.judge(api + "/flows/executor/" + slug + query)
	f := &authentikFlow{click: k, executor: executor}
	k.take = f.page
	isFlow := found && slug != "" && !strings.Contains(slug, "/")
	return request{to: k.link}, isFlow && why == "" && k.link.Query().Get("flow_token") != ""
}

// page takes the page of the flow, which is the same for every link.
func (f *authentikFlow) page(a response) request {
	if a.status >= 400 {
		return f.browse(a)
	}
	f.take = f.stage
	return request{to: f.executor, api: true}
}

// stage does what the executor wants next, if that needs no person.
func (f *authentikFlow) stage(a response) request {
	if a.isRedirect() {
		to, err := a.to.Parse(a.location)
		if err != nil || !sameOrigin(to, f.executor) || to.Path != f.executor.Path {
			return f.end(OutcomeUnknown, ReasonLeft)
		}
		f.passed = true
		return request{to: f.executor, api: true}
	}
	stage := readFields(a)
	component := stage.text("component")
	if said := judgeWords(stage.words(), stage.good); said != OutcomeUnknown {
		return f.said(a, said)
	}
	switch {
	case !stage.good || component == "", component == "ak-stage-email",
		component == "ak-stage-flow-error":
		return f.said(a, OutcomeUnknown)
	case component == "ak-stage-access-denied":
		return f.said(a, OutcomeRefused)
	case component == "ak-stage-consent" && f.posted:
		return f.end(OutcomeUnknown, ReasonSecondQuestion)
	case component == "ak-stage-consent":
		return f.consent(stage)
	case component == "xak-flow-redirect" && !strings.Contains(stage.text("to"), "/if/flow/"):
		if f.passed || f.posted {
			return f.said(a, OutcomeConfirmed)
		}
		return f.said(a, OutcomeUnknown)
	}
	return f.end(OutcomeNeedsUser, ReasonWantsInput)
}

func (f *authentikFlow) consent(stage fields) request {
	raw, err := json.Marshal(map[string]string{
		"component": "ak-stage-consent", "token": stage.text("token"),
	})
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
