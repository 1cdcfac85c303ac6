package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The parts of links as their providers draw them.
const (
	drawn  = "Zk3vQ8mW1xT5nB7yR2cLs"                                          // 21 letters and digits
	digest = "7c1e5a90b3d24f68a1c9e07d52b84f36"                               // of 16 bytes
	longer = digest + "0e5b7d91c3a24f86b1d9c07e52a84f63"                      // of 32 bytes
	hashed = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"                       // of 20 bytes
	sealed = "0b8f3c1d7e2a4965|9d41c7f05a3e8b26|5c7d2a9e3f2b8c1e6a4d4e9b8f|3" // by Nextcloud
	lasts  = "userId=65a1c2d3e4f5&secret=" + longer + "&expire=2026-01-13T09:14:07.000%2B00:00"
)

// writtenLinks are links as the sources of the providers write them, by provider, kind and recipe.
// Each differs from the example of its shape by what the provider adds around it.
var writtenLinks = map[string][]string{
	"appwrite invite user": {"/invite?membershipId=5&userId=65a1&secret=" + longer +
		"&teamId=7&teamName=Acme"},
	"appwrite login user": {"/console/auth/magic-url?" + lasts + "&project=acme",
		"/auth/magic-url?" + lasts + "&project=acme"},
	"appwrite reset user":    {"/console/recover?" + lasts, "/recover?" + lasts},
	"appwrite verify script": {"/console/verify-email?" + lasts, "/verify-email?" + lasts},
	"aspnet change user": {
		"/identity/account/confirmemailchange?userId=17&email=kim%40acme.example&code=" + drawn},
	"aspnet change get": {
		"/confirmemail?userId=17&code=" + drawn + "&changedEmail=kim%40acme.example"},
	"aspnet reset user": {"/identity/account/resetpassword?code=" + drawn},
	"aspnet verify get": {"/identity/account/confirmemail?userId=17&code=" + drawn + "&returnUrl=%2F",
		"/auth/confirmemail?userId=17&code=" + drawn},
	"authjs login user": {
		"/api/auth/callback/email?callbackUrl=https%3A%2F%2Flogin.acme.example%2F&token=" + longer +
			"&email=kim%2Bx%40acme.example",
		"/auth/callback/nodemailer?callbackUrl=%2Fn%2Fwelcome&token=Zk3vQ8mW&email=kim%40acme.example"},
	"casdoor invite user": {"/signup/app-acme?invitationCode=583920"},
	"casdoor reset user": {
		"/forget/app-acme?code=583920&dest=a%2A%2A%2A%40acme.example&username=kim"},
	"devise verify get": {"/users/confirmation?confirmation_token=" + drawn},
	"directus verify get": {"/cms/users/register/verify-email?token=" +
		unsigned(`{"email":"kim@acme.example","scope":"pending-registration","iss":"directus"}`)},
	"directus reset user": {"/admin/reset-password?token=" +
		unsigned(`{"email":"kim@acme.example","scope":"password-reset","hash":"`+digest+`"}`)},
	"directus invite user": {"/admin/accept-invite?token=" +
		unsigned(`{"email":"kim@acme.example","scope":"invite","iss":"directus"}`)},
	"discourse change user": {"/u/confirm-new-email/" + digest, "/u/confirm-old-email/" + digest,
		"/u/confirm-admin/" + digest},
	"discourse invite user": {"/invites/" + digest, "/invites/aB3dE5fG7h?t=" + digest},
	"discourse login user":  {"/session/email-login/" + digest},
	"discourse reset user":  {"/u/password-reset/" + digest},
	"discourse verify script": {"/u/activate-account/" + digest,
		"/forum/u/activate-account/" + digest},
	"gitea invite user": {"/user/sign_up?redirect_to=%2Forg%2Finvite%2F" + drawn,
		"/git/user/login?redirect_to=%2Forg%2Finvite%2F" + drawn},
	"gitlab change user": {"/profile/emails/confirmation?confirmation_token=" + drawn,
		"/-/profile/emails/confirmation?confirmation_token=" + drawn},
	"gitlab invite user": {"/-/invites/" + drawn + "?invite_type=initial_email"},
	"laravel invite user": {
		"/team-invitations/17?signature=" + longer},
	"laravel reset user": {
		"/reset-password/" + longer + "?email=kim%40acme.example",
		"/password/reset/" + longer + "?email=kim%40acme.example",
		"/password-reset/" + longer + "?email=kim@acme.example"},
	"laravel verify user": {
		"/email/verify/17/" + hashed + "?expires=1768212847&signature=" + longer,
		"/verify-email/17/" + hashed + "?expires=1768212847&signature=" + longer},
	"moodle change user": {"/user/emailupdate.php?key=" + drawn + "&id=17",
		"/login/unlock_account.php?u=17&s=Zk3vQ8mW1xT5nB7"},
	"moodle reset user": {"/login/forgot_password.php?token=" + drawn + "Zk3vQ8mW1xT"},
	"moodle verify get": {"/login/confirm.php?data=Zk3vQ8mW1xT5nB7/kim%2Eholm",
		"/login/confirm.php?redirect=https%3A%2F%2Flogin.acme.example%2Fmy&data=Zk3vQ8mW1xT5nB7/kim"},
	"nextcloud change user": {
		"/apps/provisioning_api/mailVerification/" + sealed + "/" + drawn + "/kim",
		"/index.php/apps/provisioning_api/mailVerification/" + sealed + "/" + drawn + "/kim"},
	"nextcloud reset user": {"/lostpassword/reset/form/" + drawn + "/kim",
		"/index.php/lostpassword/reset/form/" + drawn + "/kim@acme.example"},
	"rails reset user": {
		"/passwords/eyJfcmFpbHMiOnsiZGF0YSI6WzEsIktpbSJdfX0=--" + hashed + "/edit",
		"/shop/passwords/eyJfcmFpbHMiOnsicHVyIjoiVXNlclxucGFzc3dvcmRfcmVzZXQifX0--" + longer + "/edit"},
	"woocommerce invite user": {
		"/my-account/lost-password/?action=newaccount&key=" + drawn + "&login=kim"},
	"woocommerce reset user": {"/my-account/lost-password/?key=" + drawn + "&id=17",
		"/my-account/lost-password/?key=" + drawn + "&login=kim",
		"/my-account/lost-password/?key=" + drawn + "&id=17&login=kim"},
	"woocommerce verify user": {
		"/my-account/?wc_verify_email_key=" + drawn + "&wc_verify_email_user=17"},
	"wordpress change user": {"/wp-admin/profile.php?newuseremail=" + digest,
		"/wp-admin/options.php?adminhash=" + digest,
		"/wp-login.php?action=confirmaction&request_id=17&confirm_key=" + drawn},
	"wordpress invite user": {"/newbloguser/Zk3vQ8mW1xT5nB7yR2cL/"},
	"wordpress reset user": {
		"/wp-login.php?action=rp&key=" + drawn + "&login=kim&wp_lang=da_DK",
		"/wp-login.php?login=kim&key=" + drawn + "&action=rp&wp_lang=da_DK"},
	"wordpress verify user": {"/wp-activate.php?key=" + digest,
		"/wp-activate.php?key=" + digest + "&signup_id=17"},
}

// A link is known as the source of its provider writes it, with all that the provider adds.
func TestLinksAsTheirSourcesWriteThem(t *testing.T) {
	for want, links := range writtenLinks {
		for _, link := range links {
			u, why := acme.judge("https://login.acme.example" + link)
			require.Empty(t, why, link)
			s := shapeOf(u)
			require.NotNil(t, s.provider, link)
			require.Equal(t, want, s.name()+" "+string(s.kind)+" "+s.recipe, link)
		}
	}
}

// What was written beside a link of a provider, and is none of its own, is not known.
func TestLinksThatNoSourceWrites(t *testing.T) {
	for _, link := range []string{
		"/apps/provisioning_api/verification/verifyMail/" + sealed + "/" + drawn + "/kim",
		"/apps/provisioning_api/mailVerification/" + sealed + "/confirm/kim",
		"/user/login?redirect_to=%2Fuser%2Fsettings%2Faccount",
		"/invites/aB3dE5fG7h", // may be shared by many, so it is nothing that a mail alone has
		"/password-reset/" + longer,
		"/verify-email?userId=65a1c2d3e4f5&secret=" + longer,
		"/welcome?" + lasts, // verifies or recovers
		"/passwords/reset-the-password-of-kim--now/edit",
		"/api/auth/callback/email?callbackUrl=%2F&email=kim%40acme.example",
	} {
		u, why := acme.judge("https://login.acme.example" + link)
		require.Empty(t, why, link)
		require.Empty(t, shapeOf(u).kind, link)
	}
}
