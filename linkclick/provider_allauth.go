package linkclick

// allauth is django-allauth. Its verification link shows a form with a hidden token, which must
// be posted with the cookie of the page. The page of an application that uses its API is a script.
//
// Sources: pennersr/django-allauth 0.51 to 65, allauth/account/urls.py; docs.allauth.org, account
// URLs, ACCOUNT_CONFIRM_EMAIL_ON_GET and HEADLESS_FRONTEND_URLS; allauth/locale.
var allauth = provider{
	name: "allauth",
	shapes: []shape{
		{path: "/confirm-email/{signed}", kind: KindVerify, recipe: RecipeForm},
		{path: "/account/verify-email/{signed}", kind: KindVerify, recipe: RecipeScript},
		{path: "/password/reset/key/{id}", kind: KindReset, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeConfirmed: {
			"you have confirmed", "ověřili jste", "du har bekræftet", "du har bekreftet",
			"du har verifierat", "vous avez confirmé", "ha confirmado", "hai appena confermato",
			"você confirmou", "ai confirmat", "έχετε επιβεβαιώσει", "ви підтвердили",
			"لقد أكدت عنوان البريد", "您已确认email地址",
			// Statements keep the sign of an address.
			"du hast die adresse @ bestätigt", "je hebt het emailadres @ bevestigd", "confirmou @",
			"@ を確認しました", "адрес @ подтверждён", "адрес @ подтвержден", "@ adresini onayladınız",
			"您已確認 @",
		},
	},
}
