// Package linkclick reads a mail of an identity provider, finds the one link
// in it that does what the mail is about, and opens that link for a person
// who has only a phone. It is used by the workers that examine mails and click
// links, and by the command that explains a mail at the keyboard.
//
// [ReadMIME] turns a raw mail into its decoded bodies. [Find] says of what
// kind the mail is, which link or code it carries, and why. [Clicker.Click]
// redeems a link by a recipe, which is a GET, a form, the call of an API or a
// flow of several calls, and judges the outcome. What is particular to one
// identity provider is in provider.go (shapes of links), recipe.go and flow.go
// (APIs and flows) and outcome.go (redirects); any other provider's links are
// known by the tenant's [Rule] and by their words.
//
// It promises:
//
//   - A link is found only when it is the only one of its kind in the mail, is
//     https, and is on a host the tenant has named. In doubt there is no link
//     but a reason.
//   - A link that resets, recovers, invites, signs in, changes, deletes or
//     unsubscribes is never taken for a verification. That of a reset or login
//     mail is found, for passing on to its reader.
//   - A click connects to no host outside the rule and to no private or
//     special address, wherever redirects or name servers point, and ends
//     within its time-out whatever the other side does.
//   - A click is a success only when the identity provider said so. Status 200
//     alone says nothing.
//   - No reason, error or step carries a link, a code or a part of a mail, page
//     or answer. Only [Mail], [Finding], [Candidate] and [Rule] hold secrets.
package linkclick
