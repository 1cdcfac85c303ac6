package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A success beside words of an approval that is to come is one of the link. It promises no sign-in.
func TestApprovalsToCome(t *testing.T) {
	for _, success := range []string{
		"Your email has been confirmed.", "E-mail confirmed", "Your email is already verified.",
	} {
		for _, approval := range []string{
			"Your account awaits an administrator's approval.", "Pending approval",
			"Your account is pending review by our staff.", "You can sign in once you are approved.",
			"A moderator must approve your account before you can sign in.",
			"We will mail you when an administrator approves your account.",
			"Your registration is awaiting moderation.", "Your account has to wait for approval",
			"Dein Konto muss noch von einem Administrator freigeschaltet werden.",
			"Din konto afventer godkendelse.", "Kontoen din venter på godkjenning.",
			"Ditt konto väntar på godkännande.", "Je account wacht op goedkeuring.",
			"Votre compte est en attente d'approbation.", "Tu cuenta está pendiente de aprobación.",
			"Il tuo account è in attesa di approvazione.", "A sua conta aguarda aprovação.",
			"Twoje konto czeka na zatwierdzenie.", "Váš účet čeká na schválení.",
			"Tilisi odottaa hyväksyntää.", "Contul este în așteptare pentru aprobare.",
			"Hesabınız yönetici onayı bekliyor.", "Ваша учётная запись ожидает одобрения.",
			"Ваш акаунт очікує схвалення.", "Ο λογαριασμός σας αναμένει έγκριση.",
			"حسابك في انتظار موافقة المشرف", "Tài khoản của bạn đang chờ phê duyệt.",
			"您的账户正在等待管理员审核。", "アカウントは管理者の承認待ちです。",
		} {
			body := "<p>" + success + "</p><p>" + approval + "</p>"
			require.Equal(t, OutcomeUnapproved, outcomeOf(body), body)
		}
	}
	for _, body := range []string{
		"Your account is confirmed, but a moderator must approve it first.",
		"Your email has been confirmed<br>Your account needs approval",
	} {
		require.Equal(t, OutcomeUnapproved, outcomeOf(body), body)
	}
	for body, want := range map[string]Outcome{
		"Your email is verified.<p>Your account has been approved.":         OutcomeConfirmed,
		"Your email is verified.<p>Approved by 500 shops":                   OutcomeConfirmed,
		"Your email is verified.<p>Do you wait for approval?":               OutcomeConfirmed,
		"Your email is already verified.<p>Wait for the bus.":               OutcomeAlready,
		"Your account awaits an administrator's approval.":                  OutcomeUnknown,
		"This link has expired.<p>Your account is waiting for approval.":    OutcomeExpired,
		"Once an administrator approves it, your account is confirmed.":     OutcomeUnknown,
		"<p hidden>Your account awaits approval.</p>Your email is verified": OutcomeConfirmed,
	} {
		require.Equal(t, want, outcomeOf(body), body)
	}
}
