package linkclick

import "encoding/json"

// This file knows how a link may be redeemed. A recipe of one provider is in the file of that
// provider.

// The recipes that belong to no provider: they open the link and go by what they are shown. The
// last two open nothing, because only the person can go on there. They and the constants Recipe…
// of the providers are the values of [Finding].Recipe and [Rule].Recipe.
//
// The providers' recipes speak an API and need no page. [Rule].API says where it is.
const (
	RecipeGet     = "get"     // one GET and its redirects
	RecipeForm    = "form"    // GET, then a form of hidden fields if the shape is known
	RecipeProceed = "proceed" // GET, then the same link again from the page
	RecipeScript  = "script"  // none: the page works by its script
	RecipeUser    = "user"    // none: on the page the person must do something
)

// recipe is a way to redeem a link.
type recipe struct {
	name     string   // a value of Finding.Recipe and Rule.Recipe
	redeemer redeemer // nil for a recipe that opens the link and goes by what it is shown
	needs    need     // what the tenant's rule must have
	instead  string   // name of the recipe for a link whose rule does not have it
}

// genericRecipes are those that belong to no provider.
var genericRecipes = []recipe{
	{name: RecipeGet}, {name: RecipeForm}, {name: RecipeProceed}, {name: RecipeScript},
	{name: RecipeUser},
}

// need is what a recipe needs of a tenant's rule.
type need int

const (
	needsNothing need = iota
	needsAPI          // Rule.API
	needsToken        // Rule.Token
)

// metBy reports whether a rule has what is needed.
func (n need) metBy(r Rule) bool {
	return n == needsNothing || n == needsAPI && r.API != "" || n == needsToken && r.Token != ""
}

// String is what is needed, as settings call it.
func (n need) String() string { return [...]string{"nothing", "api", "token"}[n] }

// redeemer makes the calls of a provider's API. It is an interface and not a function because
// judging reads the list of providers, and Go does not let a variable depend on itself.
type redeemer interface {
	// start returns the first request and sets k.take, which takes its response. ok is false if the
	// link lacks what the recipe needs, or if the rule forbids the place of the API.
	start(k *click) (first request, ok bool)
}

// recipe returns the name of the recipe for a link of a shape. The rule's own recipe is for
// verifications, and opens no link that needs the person. Nor does it open a page that works by its
// script, unless it speaks an API: that page may spend the link, or do more than verify, when it
// is opened.
func (r Rule) recipe(s shape) string {
	if r.Recipe != "" && s.kind != KindReset && s.mayForce(known().recipe(r.Recipe)) {
		return r.Recipe
	}
	if s.recipe == "" {
		return RecipeGet
	}
	if own := known().recipe(s.recipe); !own.needs.metBy(r) {
		return own.instead
	}
	return s.recipe
}

// mayForce reports whether an operator may choose a recipe for links of the shape.
func (s shape) mayForce(chosen recipe) bool {
	scripted := s.recipe == RecipeScript || known().recipe(s.recipe).instead == RecipeScript
	return s.recipe != RecipeUser && (!scripted || chosen.redeemer != nil)
}

// activatesPassword reports whether a link of the shape by itself activates a password that was
// chosen before. Every other reset link leads to a page where the person chooses one.
func (s shape) activatesPassword() bool { return s.kind == KindReset && s.recipe == RecipeGet }

// NeedsPerson reports whether a click on the link of a finding cannot do what the mail is about:
// the person must choose, sign in, or have a browser that runs scripts. A link behind a tracking
// link is known only when it is clicked.
func (r Rule) NeedsPerson(f Finding) bool {
	u, wrapped, why := r.judgeLink(f.URL)
	if why != "" || wrapped {
		return false
	}
	s := shapeOf(u)
	switch f.Kind {
	case KindVerify:
		recipe := r.recipe(s)
		return recipe == RecipeUser || recipe == RecipeScript
	case KindReset:
		return s.provider != nil && !s.activatesPassword()
	}
	return true
}

// call returns the POST of a JSON object to an API. ok is false if one of the secrets that it
// takes from the link is missing, or if the rule forbids the place.
func (k *click) call(
	rule Rule, place string, body map[string]string, secrets ...string,
) (r request, ok bool) {
	for _, s := range secrets {
		if s == "" {
			return request{}, false
		}
	}
	to, why := rule.judge(place)
	raw, err := json.Marshal(body)
	if why != "" || err != nil {
		return request{}, false
	}
	return request{to: to, json: raw, api: true}, true
}

// said ends a click by what an API answered.
func (k *click) said(a response, outcome Outcome) request {
	switch {
	case outcome != OutcomeUnknown:
		return k.end(outcome, ReasonAPI)
	case a.isRedirect():
		return k.end(OutcomeUnknown, ReasonBadRedirect)
	case a.status >= 500:
		return k.end(OutcomeUnknown, ReasonServerError)
	}
	return k.end(OutcomeUnknown, ReasonNothingClear)
}
