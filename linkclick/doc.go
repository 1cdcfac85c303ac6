// Package linkclick reads a mail of an identity provider and finds the one link in it that does
// what the mail is about. It opens that link for a person who has only a phone. The workers that
// examine mails and click links use it, and so does the command that explains a mail at the
// keyboard.
//
// # Three parts
//
// Read in this order. The prefix of a file's name says to which part it belongs.
//
//  1. Finding (find*.go) never connects to anything. [ReadMIME] turns a raw mail into its
//     decoded bodies (find_mime.go). [Find] says of what kind the mail is, which link or code it
//     carries, and why. Open find.go for the result, find_candidate.go for how one link is
//     judged, and find_decide.go for how the mail's one link is chosen. find_params.go tells what
//     a link says by itself, find_allow.go which paths the operator allows, and find_token.go
//     whether a link carries a secret. find_links.go reads links out of a body, without those
//     that find_hidden.go says no reader sees, and find_markup.go out of its markup for mail
//     programs. find_code.go finds a code, and find_codeform.go tells how one is written.
//     find_words.go and find_codewords.go hold the words, and find_name.go keeps the name of the
//     application out of them. find_place.go says where a link leads without its secret, for an
//     operator. [Learn] is apart from all that: it makes a path for the rule from several mails
//     (find_learn.go).
//  2. Redeeming (redeem*.go) is the only part that connects. [Clicker.Click] opens a link by a
//     recipe: a GET, a form, the call of an API or a flow of several calls. Open redeem.go for
//     the course of a click, redeem_browse.go for what it does with a page or redirect, and
//     redeem_recipe.go for the recipes. redeem_page.go reads a page and its forms, and
//     redeem_hidden.go says what of it a reader sees. redeem_guard.go decides to which address a
//     click may connect, and redeem_transport.go limits each request.
//     redeem_goon.go says which link a person may be given to finish what a click did not.
//  3. Judging (judge*.go) reads the host's response and says how the click ended. Open
//     judge.go for the outcomes, judge_redirect.go for the parameters of a redirect,
//     judge_page.go for a page and judge_json.go for JSON. judge_words.go, judge_phrases.go
//     and judge_phrases_more.go know the words of success and failure, and
//     judge_phrases_failed.go more of the latter. judge_sieve.go looks for them in a text, and
//     judge_denied.go for what takes a success back beside it. judge_approval.go finds an approval
//     that is still to come.
//
// All three share the tenant's [Rule] of where a link may lead (rule.go). The entries of its paths
// are read by package linkpath, which the settings share. They also share the kinds of mail
// (kind.go), the list of identity providers (provider.go) and the form of words (plain.go). A
// provider's shapes are compared segment by segment (segment.go), and only those that may fit a
// link (shape_index.go).
//
// # Providers
//
// What is particular to one identity provider is in provider_NAME.go: the shapes of its links,
// its recipe, and what its redirects, pages and sentences mean. Links of any other provider are
// known by the paths of the [Rule] only.
//
// To add a provider:
//
//  1. Write provider_NAME.go with one provider value and its source. Most providers need only
//     shapes. One that mails codes has no shape, and its noLink says why.
//  2. Add it to the list in provider.go. The first shape that fits a link is taken, so a shape
//     that asks for more stands above one that asks for less.
//  3. Put a mail for each shape into testdata/mail/NAME-*.eml, at least three for each kind. Use
//     the structure of the real mail and your own words.
//  4. If the provider has an API, a recipe, verdicts, marks or a proof of its own, test them in
//     provider_NAME_test.go.
//
// The tests in provider_test.go say what is missing.
//
// # Promises
//
//   - A link is found only if a provider writes such links, or if the operator allowed its path.
//     Words around it can forbid it and never allow it. Words that no table here knows change
//     nothing. So an author who chooses the words of a mail, or its language, wins nothing.
//   - A shape that links of several purposes have tells no kind, and no words make up for that.
//     What a wildcard of a shape took is heard, and so are the names of the parameters: a site
//     uses one framework's paths for accounts, orders and devices alike.
//   - A link is found only if it is the only one of its kind in the mail. It must be https, on a
//     host that the tenant has named, and written so that all servers read it alike. In doubt
//     there is no link but a reason, and the entry of the rule that would allow the link.
//   - A link that resets, recovers, invites, signs in, changes, deletes or unsubscribes is never
//     taken for a verification. That of a reset or login mail is found, for its reader.
//   - What goes into a text from a mail is a code of digits, or one of a provider that draws
//     letters. The latter stands alone under the line that announces it, or spells nothing.
//   - A mail costs time in proportion to its size, and one of 2 MiB less than 100 ms on a quiet
//     machine. One with more links, markup or numbers than can be looked at is refused.
//   - A click connects to no host outside the rule and to no private or special address,
//     wherever redirects or name servers point. It ends within its timeout, whatever the host
//     does.
//   - A click is a success only if the identity provider said so. It does so on the host of the
//     link in words that a reader sees, or by a redirect as only this provider makes it. Status
//     200 alone says nothing.
//   - A link on whose page the person must do something is not opened, and no form is posted for
//     a link of unknown shape. What proves that an address was verified does not prove that a
//     password was changed.
//   - No reason, error or step holds a link, a code or a part of a mail, page or response. Only
//     [Mail], [Finding], [Candidate], [Rule] and [Result].GoOn hold secrets.
//   - [Candidate.Place] tells an operator a link's host and those segments of its path that are
//     short words, or words of links. A secret is in neither.
//   - A person is never given a tracking link: at most the link behind it, if that one verifies by
//     its shape or at an allowed path.
package linkclick
