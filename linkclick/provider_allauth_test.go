package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The button that confirms is pressed in whatever language its label is, and none that asks for
// another mail.
func TestAllauthFormIsPostedInEveryLanguage(t *testing.T) {
	const link = "/accounts/confirm-email/MTI:1rAbCd:k123456789abcdefghijklmnopqrstuvwxyzABCDEFG/"
	for label, posted := range map[string]bool{
		"Confirm": true, "Bestätigen": true, "Bevestigen": true, "Bekræft": true, "Confirmer": true,
		"確認": true, "Send igen": false, "Igen": false, "Bestätigung erneut senden": false,
		"Link zusenden": false, "Opnieuw bevestigen": false,
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				html200(w, "<p>You have confirmed kim@acme.example.</p>")
				return
			}
			html200(w, `<form method="post" action="`+link+`"><input type="hidden" name="a" value="b">`+
				`<button type="submit">`+label+`</button></form>`)
		})
		want := OutcomeNeedsUser
		if posted {
			want = OutcomeConfirmed
		}
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, label)
	}
}

// A site speaks its own language, whatever a click asks for. The sentence counts on a link of
// allauth alone, and not if it is denied or depends on something.
func TestAllauthSaysInItsLanguageThatItIsDone(t *testing.T) {
	hear := func(p *provider, text string) Outcome {
		k := &click{Clicker: &Clicker{Kind: KindVerify}, shape: shape{provider: p}}
		return k.hear(text, true)
	}
	for _, text := range []string{
		"Ověřili jste a@b.example.", "Du har bekræftet a@b.example.", "Du har bekreftet a@b.example.",
		"Du har verifierat a@b.example.", "Vous avez confirmé a@b.example.",
		"Ha confirmado a@b.example.", "Hai appena confermato l’indirizzo email a@b.example.",
		"Você confirmou a@b.example.", "Ai confirmat a@b.example.",
		"Έχετε επιβεβαιώσει το a@b.example.", "Ви підтвердили a@b.example.",
		"لقد أكدت عنوان البريد الإلكتروني a@b.example.", "您已确认Email地址 a@b.example。",
		"Sähköpostiosoite a@b.example on vahvistettu.", "Adres a@b.example został potwierdzony.",
		"Du hast die Adresse a@b.example bestätigt.", "a@b.example を確認しました。",
		"Je hebt het e-mailadres a@b.example bevestigd", "Confirmou a@b.example.",
		"Адрес a@b.example подтверждён.", "a@b.example adresini onayladınız.",
		"您已確認 a@b.example。",
	} {
		require.Equal(t, OutcomeConfirmed, hear(&allauth, text), text)
	}
	require.Equal(t, OutcomeUnknown, hear(&devise, "Vous avez confirmé a@b.example."))
	for _, text := range []string{
		"Pokud ověřili jste a@b.example", "Hvis du har bekræftet a@b.example", "Om du har verifierat",
		"Si vous avez confirmé a@b.example", "Quand vous avez confirmé", "No ha confirmado a@b.example.",
		"Si ha confirmado a@b.example", "Se você confirmou a@b.example", "Você não: você confirmou?",
		"Nu ai confirmat a@b.example.", "Dacă ai confirmat", "Δεν έχετε επιβεβαιώσει το a@b.example.",
		"Αν έχετε επιβεβαιώσει", "Έχετε επιβεβαιώσει το a@b.example;", "Якщо ви підтвердили",
		"إذا لقد أكدت عنوان البريد", "如果您已确认Email地址", "是否您已确认Email地址",
		"Wenn du hast die Adresse a@b.example bestätigt", "a@b.example を確認しましたら",
		"Du hast die Adresse a@b.example bestätigt, aber erst wenn du auf den Knopf drückst.",
		"Als je hebt het e-mailadres a@b.example bevestigd", "Ainda não confirmou a@b.example.",
		"Если адрес a@b.example подтверждён", "a@b.example adresini onayladınız, ancak bekleyin",
		"Адрес a@b.example ещё не подтверждён.", "a@b.example adresini onaylamadınız.",
		"如果您已確認 a@b.example", "Du hast die Adresse bestätigt.",
	} {
		require.Equal(t, OutcomeUnknown, hear(&allauth, text), text)
	}
}
