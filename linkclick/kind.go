package linkclick

// Kind says what a mail wants to be done.
type Kind string

// The kinds of mail. A verify mail's link may be clicked for the reader, the
// links of reset and login mails may be passed on to the reader, and no other
// mail has a URL in its finding.
const (
	KindVerify  Kind = "verify"  // confirm that an address is the reader's
	KindReset   Kind = "reset"   // choose a new password, recover an account
	KindLogin   Kind = "login"   // sign in by link
	KindCode    Kind = "code"    // type a code somewhere
	KindInvite  Kind = "invite"  // join something, or set a first password
	KindChange  Kind = "change"  // change the address or undo a change
	KindNotice  Kind = "notice"  // nothing to do
	KindUnknown Kind = "unknown" // could not be told
)

// The recipes: what redeeming a link takes. They are the values of
// [Finding].Recipe and [Rule].Recipe.
//
// get, form, proceed, script and user open the link and go by what they are
// shown; all of them submit a form of hidden fields if there is one, unless
// the rule asks for get. The others speak a provider's own API and need no
// page; where it is, [Rule].API says.
const (
	RecipeGet         = "get"         // one GET and its redirects
	RecipeForm        = "form"        // GET, then a form of hidden fields
	RecipeProceed     = "proceed"     // GET, then the same link again from the page
	RecipeScript      = "script"      // GET of a page that may need its script
	RecipeUser        = "user"        // GET of a page on which the person must do something
	RecipeFirebase    = "firebase"    // POST accounts:update with the oobCode
	RecipeSuperTokens = "supertokens" // POST user/email/verify with the token
	RecipePocketBase  = "pocketbase"  // POST confirm-verification with the token
	RecipeSupabase    = "supabase"    // POST verify with the token_hash; needs Rule.API
	RecipeZitadel     = "zitadel"     // POST email/verify with the code; needs Rule.Token
	RecipeKratos      = "kratos"      // GET, then the flow as JSON, then its code if it has one
	RecipeAuthentik   = "authentik"   // GET, then the flow's executor and its consent
)

// recipes holds every name that a rule may force.
var recipes = []string{
	RecipeGet, RecipeForm, RecipeProceed, RecipeScript, RecipeUser,
	RecipeFirebase, RecipeSuperTokens, RecipePocketBase, RecipeSupabase, RecipeZitadel,
	RecipeKratos, RecipeAuthentik,
}
