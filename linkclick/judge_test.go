package linkclick

import (
	"maps"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that each table of failures has the name of a language: else nothing would read it.
func TestFailuresAreOfLanguages(t *testing.T) {
	for name := range failures {
		of := func(l language) bool { return l.name == name }
		require.True(t, slices.ContainsFunc(genericLanguages, of), name)
	}
}

// Every phrase is in plain form and means what its row says, whatever stands in the other rows;
// after a condition it means nothing.
func TestPhrases(t *testing.T) {
	all := slices.Clone(known().languages)
	for _, p := range providers {
		if table := known().praise[p]; len(table) > 0 {
			all = append(all, *slices.Collect(maps.Values(table))[0][0].language)
		}
	}
	for _, l := range all {
		read := func(text string) Outcome {
			return readWords(statements(text), true, known().phrases, tableOf(l))
		}
		for outcome, phrases := range l.phrases {
			require.Contains(t, judged, outcome)
			for _, phrase := range phrases {
				require.Equal(t, plain(phrase), phrase)
				text := "Hello.\nX account " + phrase + " y. Bye"
				if succeeds(outcome) && (l.opens || l.closes) {
					text = "Hello.\nX account, " + phrase + ", y. Bye"
				}
				require.Equal(t, outcome, read(text), "%s: %s", l.name, phrase)
				require.NotEqual(t, outcome, read(l.unless[0]+" "+phrase), "%s: %s", l.name, phrase)
				denied := read(denials[0] + " " + phrase)
				require.False(t, succeeds(denied), "%s: %s", l.name, phrase)
				if succeeds(outcome) {
					require.NotEqual(t, outcome, read(phrase+", "+l.unless[0]), "%s: %s", l.name, phrase)
				}
				for _, after := range l.after {
					require.NotEqual(t, outcome, read(phrase+after), "%s: %s", l.name, phrase)
				}
				require.Equal(t, OutcomeUnknown, read(phrase+"?"), "%s: %s", l.name, phrase)
			}
		}
	}
}

// The words with which one provider alone tells of success mean nothing on a link of another.
// Words about a password mean nothing about an address, or the other way round.
func TestPraiseIsForOneProviderAndOneKind(t *testing.T) {
	const (
		thanks   = "You have confirmed a@b.example."
		changed  = "Your password has been changed."
		verified = "Your email has been verified."
	)
	hear := func(p *provider, kind Kind, text string) Outcome {
		k := &click{Clicker: &Clicker{Kind: kind}, shape: shape{provider: p}}
		return k.hear(text, true)
	}
	require.Equal(t, OutcomeConfirmed, hear(&allauth, KindVerify, thanks))
	require.Equal(t, OutcomeUnknown, hear(&auth0, KindVerify, thanks))
	require.Equal(t, OutcomeUnknown, hear(nil, "", thanks))
	require.Equal(t, OutcomeUnknown, judgeWords(thanks, true))
	for _, text := range []string{ // the condition comes last
		"You have confirmed the address a@b.example once you press the button.",
		"Du har bekræftet a@b.example, men først når du trykker på knappen.", "您已确认Email地址后即可登录",
	} {
		require.Equal(t, OutcomeUnknown, hear(&allauth, KindVerify, text), text)
	}
	require.Equal(t, OutcomeConfirmed,
		hear(&allauth, KindVerify, "You have confirmed acme+4712345678@sms.acme.no."))
	for text, want := range map[string]Outcome{
		"Your registration has been confirmed!":                 OutcomeConfirmed,
		"User cannot be confirmed. Current status is CONFIRMED": OutcomeAlready,
	} {
		require.Equal(t, want, hear(&cognito, KindVerify, text))
		require.Equal(t, OutcomeUnknown, judgeWords(text, true))
	}

	require.Equal(t, OutcomeConfirmed, hear(nil, "", verified))
	require.Equal(t, OutcomeUnknown, hear(nil, KindReset, verified))
	require.Equal(t, OutcomeUnknown, hear(nil, KindReset, "Your email is already verified."))
	require.Equal(t, OutcomeConfirmed, hear(nil, KindReset, changed))
	require.Equal(t, OutcomeUnknown, hear(nil, KindVerify, changed))
	require.Equal(t, OutcomeUnknown, judgeWords(changed, true))
}

func TestJudgeWords(t *testing.T) {
	for want, texts := range map[Outcome][]string{
		OutcomeUnknown: {
			"",
			"YOUR E‑MAIL\u00a0HAS BEEN\nVERIFIED", // two blocks are two sentences
			"Please verify your email address.",
			"We will tell you when your email has been verified.",
			"Once a@login.acme.example is successfully verified you can sign in.",
			"メールアドレスが確認されましたら、お知らせします。",
			"Если адрес уже подтверждён, войдите.",
			"Sobald Ihre E-Mail-Adresse erfolgreich bestätigt wurde",
			"Javascript is not enabled on your browser, please click button to continue.",
			"Your e-mail is not verified yet. Press the button to verify it.",
			"Your email was not successfully verified.",
			"Your account must be successfully activated first",
			"Ihre E-Mail-Adresse wurde noch nicht erfolgreich bestätigt.",
			"En adresse, som ikke er bekræftet, kan ikke bruges.",
			"Kontoen ikkje er aktivert enno.",
			"Denne side kræver bekræftet e-mail.", "Administrer verifiserte domener",
			"Du mangler bekreftet e-post", "Was unsuccessfully verified",
			"Uw e-mailadres is niet succesvol geverifieerd.",
			"Tu correo electrónico aún no ha sido verificado.",
			"Tu correo no está verificado.",
			"Tu correo no pudo ser verificado correctamente.",
			"There is no account verified by this link.",
			"I have already verified my email", // a button beside one that sends another mail
			"L'indirizzo non è stato verificato.",
			"Make sure that your email has been verified.",
			"Sørg for, at din e-mail er bekræftet.",
			"E-mailen kan ikke bruges, medmindre kontoen er aktiveret.",
			"Se till att din e-post är bekräftad.",
			"Zorg ervoor dat je e-mailadres is bevestigd.",
			"Assurez-vous que votre adresse a été vérifiée.",
			"Asegúrate de que tu correo ha sido verificado.",
			"Verificate che sia così, salvo che l'indirizzo è stato verificato",
			"Certifique-se de que o seu e-mail foi verificado.",
			"Prüfen Sie, ob die Adresse bestätigt ist und das Konto erfolgreich aktiviert",
			"Убедитесь, что ваш адрес подтверждён.",
			"Переконайтеся, що вашу адресу підтверджено.",
			"O seu e-mail ainda não foi verificado.",
			"Ваш адрес ещё не был подтверждён.",
			"Вашу адресу не було підтверджено.",
			"We found no email address verified by you, nor one that is already confirmed.",
			"Please wait while your email address is verified.",
			"Your email is verified when you click the button below.",
			"Eventuell wurde Ihre Adresse bereits verifiziert.",
			"Måske er adressen allerede bekræftet.",
			"Kanskje er adressen allerede bekreftet.",
			"Kanske är adressen redan bekräftad.",
			"Wellicht is uw adres al geverifieerd.",
			"Peut-être que votre adresse a déjà été vérifiée.",
			"Quizá su correo ya ha sido verificado.",
			"Forse l'indirizzo è già stato verificato.",
			"Talvez o endereço já tenha sido, ou já foi verificado.",
			"おそらく、すでに確認されています。",
			"Возможно, адрес уже подтверждён.",
			"Можливо, адресу вже підтверджено.",
			"To have your email verified, press the button.", "You need your email verified to go on",
			"With your email address verified you can post.", "This needs an account verified by us.",
			"Users whose email is verified can post.",
			"Get your account verified", "Have your email kim@acme.example verified",
			"Din e-mail er bekræftet, når du trykker på knappen.",
			"Ihre Adresse ist jetzt bestätigt, sobald Sie auf den Knopf drücken.",
			"Tu correo ha sido verificado cuando pulses el botón.",
			"Email verified: no", "E-mail verified\nNo", "Email verified – not yet.", "Email verified (❌)",
			"Account activated?\nEmail address verified: false\nRole: user", "Email verified\n\n✗",
			"Adresse erfolgreich bestätigt: Nein", "E-mail er bekræftet:\nNej", "Адрес подтверждён: нет",
			"Already verified: no",
		},
		OutcomeConfirmed: {
			"YOUR E-MAIL\u00a0HAS BEEN   VERIFIED",
			"Your e-mail address is confirmed!", "Your account was confirmed.",
			"Thank you, email confirmed", "Your account verified", "Acme: account activated!",
			"Email verified: yes",
			"Email verified\nYes", "Email verified\nNo further steps are needed",
			"Email verified. No, you need not do anything.", "Email verified\nYour email has been verified",
			"Email verified: no\nYour email has been verified.",
			"Your email has been verified. If it was not you, tell us.",
			"Your email has been verified. Need help?",
			"You need not do anything else: your email has been verified.",
			"No es necesario nada más, tu correo ha sido verificado",
			"Seu cadastro no site ACME foi verificado com sucesso.",
			"Damit ist die Adresse erfolgreich bestätigt.",
			// The words in an address are no words of the sentence.
			"acme+4712345678@sms.acme.no was successfully verified.",
			"Kim@not.example: your email address has been verified.",
			"O endereço kim@acme.se foi verificado.",
			"The address that you provided was successfully verified.",
			"Your email has been verified, you can close this page once you have read it.",
			"メールアドレスが確認されました。ログインしてください。",
			"Ваш адрес был подтверждён!",
			"Din e-mail er nu bekræftet",
			"E-postadressen till ditt konto är nu bekräftad.",
			"Siden kræver bekræftet e-mail, og din er bekræftet.",
			"Ihre E-Mail-Adresse wurde erfolgreich bestätigt",
		},
		OutcomeRefused: {
			"Your email couldn’t be verified.",
		},
		OutcomeExpired: {
			"Email link is invalid or has expired",
			// In doubt it is no success.
			"Your account has been confirmed. This link is no longer valid for anything else.",
			"The link was not found or has expired.", // a denial takes back a success only
		},
		OutcomeUsed: {
			"このリンクは、すでに使用されています。",
		},
		OutcomeAlready: {
			"Вашу адресу вже підтверджено",
		},
	} {
		for _, text := range texts {
			require.Equal(t, want, judgeWords(text, true), text)
		}
	}
	require.Equal(t, OutcomeUnknown, judgeWords("Your email has been verified.", false))
	for _, denial := range denials {
		said := judgeWords("Hello, "+denial+" your email has been verified", true)
		require.Equal(t, OutcomeUnknown, said, denial)
	}
}

func TestJudgeRedirect(t *testing.T) {
	for _, tt := range []struct {
		to       string
		provider *provider
		inRule   bool
		want     Outcome
	}{
		{"https://a.example/?success=TRUE", &auth0, false, OutcomeConfirmed},
		{"https://a.example/?success=TRUE", &gotrue, false, OutcomeUnknown},
		{"https://a.example/?success=TRUE&message=Your+email+was+verified", nil, true, OutcomeUnknown},
		{"https://a.example/?success=true&success=false", nil, false, OutcomeRefused},
		{"https://a.example/?success=", nil, false, OutcomeUnknown},
		{"https://a.example/?success=true&message=Your+account+is+already+verified", &auth0, false,
			OutcomeAlready},
		{"https://a.example/?success=false&message=Your+account+is+already+verified", &auth0, false,
			OutcomeAlready},
		{"https://a.example/?success=false&message=Your+account+is+already+verified", nil, false,
			OutcomeRefused},
		{"https://a.example/?success=true&message=Link+expired", &auth0, false, OutcomeUnknown},
		{"https://a.example/#/home?success=true", &auth0, false, OutcomeConfirmed},
		{"https://a.example/?error=x&message=Your+account+is+already+verified", nil, false,
			OutcomeRefused},
		{"https://a.example/?error=", nil, false, OutcomeUnknown},
		{"https://a.example/?code=", &gotrue, true, OutcomeUnknown},
		{"https://a.example/?message=Your+email+was+verified", nil, true, OutcomeUnknown},
		{"https://a.example/?message=Your+email+was+verified", &auth0, true, OutcomeUnknown},
		{"https://a.example/?message=Link+expired", nil, true, OutcomeExpired},
		{"https://a.example/?error=TOKEN_EXPIRED", &betterauth, true, OutcomeExpired},
		{"https://a.example/?error=login_required", nil, true, OutcomeUnknown},
		{"https://a.example/?error=login_required", nil, false, OutcomeRefused},
		{"https://a.example/?code=x", &gotrue, false, OutcomeConfirmed},
		{"https://a.example/?code=x", &gotrue, true, OutcomeConfirmed},
		{"https://a.example/?code=x", nil, false, OutcomeUnknown},
		{"https://a.example/?code=x&error=access_denied", &gotrue, true, OutcomeRefused},
		{"https://a.example/?error=login_required", &betterauth, true, OutcomeRefused},
		{"https://a.example/?refreshToken=x", &hasura, false, OutcomeConfirmed},
		{"https://a.example/?refreshToken=x&error=y", &hasura, false, OutcomeRefused},
	} {
		to, err := url.Parse(tt.to)
		require.NoError(t, err)
		require.Equal(t, tt.want, judgeRedirect(to, tt.provider, tt.inRule), tt.to)
	}
}

// Whatever a page holds, a form is submitted only if it is what a script would send, and reading
// ends.
func FuzzReadPage(f *testing.F) {
	f.Add(`<form method="post" action="/x"><input type="hidden" name="state" value="1"><button ` +
		`name="a" value="b">Go</button></form>`)
	f.Add(`<a href="?key=1">Proceed</a><p id="kc-info-message">Your email has been verified.`)
	at := &url.URL{Scheme: "https", Host: "login.acme.example", Path: "/x"}
	f.Fuzz(func(t *testing.T, body string) {
		p := readPage(body)
		for _, form := range p.forms {
			if _, ok := form.submission(); ok && (form.asks || form.odd || len(form.buttons) > 1) {
				t.Fatal("submitted")
			}
		}
		if to := p.proceed(at, []string{"key"}); to != "" {
			u, err := url.Parse(to)
			require.NoError(t, err)
			require.True(t, sameOrigin(u, at) && u.Path == at.Path)
		}
		k := &click{Clicker: &Clicker{}, link: at}
		outcome, _ := k.judgePage(response{request: request{to: at}, status: 200}, p)
		require.NotEmpty(t, outcome)
		k.proceeded = true
		outcome, _ = k.judgePage(response{request: request{to: at}, status: 500}, p)
		if succeeds(outcome) {
			t.Fatal("success on an error page")
		}
	})
}

func FuzzJudgeRedirect(f *testing.F) {
	f.Add("https://a.example/?success=true&message=x#a?b=c")
	f.Fuzz(func(t *testing.T, link string) {
		if to, err := url.Parse(link); err == nil {
			require.NotEmpty(t, judgeRedirect(to, &gotrue, false))
		}
	})
}

// An address that another account has is not confirmed for the reader's, whatever word stands
// beside that.
func TestConfirmedByAnotherAccount(t *testing.T) {
	for text, want := range map[string]Outcome{
		"Unable to confirm a@x because it is already confirmed by a different account.": OutcomeRefused,
		"This address is already verified by another user.":                             OutcomeUnknown,
		"Kan ikke bekræfte a@x, da den er bekræftet af en anden konto.":                 OutcomeRefused,
		"Impossible de valider a@x, déjà confirmé par un autre compte.":                 OutcomeUnknown,
		"Esta dirección ya ha sido confirmada por otra cuenta.":                         OutcomeUnknown,
		"O endereço já foi confirmado por uma conta diferente.":                         OutcomeUnknown,
		"a@x はすでにほかのアカウントで確認済みです。":                                                      OutcomeUnknown,
		"Адрес уже подтверждён другим пользователем.":                                   OutcomeUnknown,
		"Адреса вже підтверджена іншим обліковим записом.":                              OutcomeUnknown,
		"Your email is already verified. Sign in, or use another account.":              OutcomeAlready,
	} {
		require.Equal(t, want, judgeWords(text, true), text)
	}
	for _, other := range others {
		said := judgeWords("Your email has been verified for "+other, true)
		require.Equal(t, OutcomeUnknown, said, other)
	}
	const link = "/accounts/confirm-email/MTI:1rAbCd:k123456789abcdefghijklmnopqrstuvwxyzABCDEFG/"
	p, c := serve(t, says("<p>Unable to confirm kim@acme.example because it is already confirmed "+
		"by a different account.</p>"))
	require.Equal(t, OutcomeRefused, open(t, c, p.URL+link).Outcome)
}
