package linkclick

import (
	"slices"
	"strings"
)

// This file goes on with the sentences of success and failure: languages whose conditions may
// stand after the verb, or that have no blanks.
//
// Sources: devise-i18n 1.13, rails/locales, "confirmations.confirmed" and "already_confirmed";
// django-allauth 65, allauth/locale; FusionAuth, fusionauth-localization, theme,
// "email-verification-complete"; Keycloak, login theme messages; FOSUserBundle 3, translations,
// "registration.confirmed"; JHipster 8, i18n, "activate.messages.success"; Nextcloud 31,
// apps/provisioning_api/l10n. Somali is left out: no source has its sentences.

var furtherLanguages = []language{
	{name: "Czech", late: true,
		unless: strings.Fields("pokud jestliže když až jakmile poté po dokud zda jestli ujistěte " +
			"zkontrolujte ověřte potvrďte možná snad aby před než kdyby případně"),
		denies: strings.Fields("není nebyl nebyla nebylo nelze nikdy nemůže musí bude zatím " +
			"který která které žádný žádná žádné kdo téměř skoro"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"již použit", "již byl použit", "použít pouze jednou"},
			OutcomeAlready: {
				"již potvrzen", "již byl potvrzen", "již byla potvrzena", "již ověřen", "již byl ověřen",
				"již byla ověřena", "již aktivován",
			},
			OutcomeExpired: {"vypršel", "již není platn", "není již platn"},
			OutcomeRefused: {
				"nelze potvrdit", "nelze ověřit", "nepodařilo potvrdit", "nepodařilo ověřit",
				"odkaz je neplatný", "odkaz není platný", "neplatný odkaz",
			},
			OutcomeConfirmed: {
				"byl potvrzen", "byla potvrzena", "byl úspěšně potvrzen", "byla úspěšně potvrzena",
				"byl ověřen", "byla ověřena", "byl úspěšně ověřen", "byla úspěšně ověřena",
				"byl aktivován", "byl úspěšně aktivován", "účet je nyní aktivní",
			},
		}},
	{name: "Finnish", late: true,
		unless: strings.Fields("jos mikäli kun kunnes sitten jälkeen ennen vasta varmista vahvista " +
			"tarkista ehkä mahdollisesti saattaa ettei"),
		denies: strings.Fields("ei eivät en emme vielä pitää täytyy joka jota jonka melkein"),
		phrases: map[Outcome][]string{
			OutcomeUsed:    {"on jo käytetty", "käyttää vain kerran"},
			OutcomeAlready: {"on jo vahvistettu", "on jo varmistettu", "on jo aktivoitu"},
			OutcomeExpired: {"on vanhentunut", "on umpeutunut", "ei ole enää voimassa"},
			OutcomeRefused: {
				"ei voi vahvistaa", "ei voida vahvistaa", "ei voitu vahvistaa", "vahvistus epäonnistui",
				"vahvistaminen epäonnistui", "linkki ei kelpaa", "virheellinen linkki",
			},
			OutcomeConfirmed: {
				"on vahvistettu", "on nyt vahvistettu", "on varmistettu", "on nyt varmistettu",
				"on aktivoitu", "on nyt aktivoitu",
			},
		}},
	{name: "Greek", late: true,
		unless: strings.Fields("αν εάν όταν μόλις αφού αφότου μετά μέχρι πριν εφόσον εκτός μόνο " +
			"επιβεβαιώστε βεβαιωθείτε ελέγξτε ίσως μήπως μπορεί"),
		denies: strings.Fields("δεν δε μην μη όχι ποτέ πρέπει θα να όπως που τι " +
			"κανένας καμία κανένα σχεδόν"),
		after: []string{" ότι", " πως"},
		phrases: map[Outcome][]string{
			OutcomeUsed: {"έχει ήδη χρησιμοποιηθεί"},
			OutcomeAlready: {
				"έχει ήδη επιβεβαιωθεί", "έχει ήδη επαληθευτεί", "έχει ήδη επαληθευθεί",
				"επιβεβαιώθηκε ήδη",
			},
			OutcomeExpired: {"έχει λήξει", "έληξε"},
			OutcomeRefused: {
				"δεν είναι δυνατή η επιβεβαίωση", "δεν ήταν δυνατή η επιβεβαίωση",
				"σύνδεσμος δεν είναι έγκυρος", "μη έγκυρος σύνδεσμος", "άκυρος σύνδεσμος",
			},
			OutcomeConfirmed: {
				"επιβεβαιώθηκε", "έχει επιβεβαιωθεί", "επαληθεύτηκε", "επαληθεύθηκε",
				"έχει επαληθευτεί", "έχει επαληθευθεί", "ενεργοποιήθηκε",
				"έχει ενεργοποιηθεί",
			},
		}},
	{name: "Polish", late: true,
		unless: strings.Fields("jeśli jeżeli gdy kiedy po aż zanim przed dopóki dopiero tylko czy " +
			"upewnij sprawdź potwierdź może chyba aby żeby"),
		denies: strings.Fields("nie nigdy musi powinien powinna powinno trzeba zostanie " +
			"który która które żaden żadna żadne prawie"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"został już użyty", "już został użyty", "użyć tylko raz"},
			OutcomeAlready: {
				"już potwierdzon", "już został potwierdzon", "już została potwierdzon",
				"już zweryfikowan", "już został zweryfikowan", "już została zweryfikowan",
				"już został aktywowan",
			},
			OutcomeExpired: {"wygasł", "stracił ważność", "nie jest już ważny"},
			OutcomeRefused: {
				"nie można potwierdzić", "nie można zweryfikować", "nie udało się potwierdzić",
				"nie udało się zweryfikować", "link jest nieprawidłowy", "nieprawidłowy link",
			},
			OutcomeConfirmed: {
				"został potwierdzon", "została potwierdzon", "zostało potwierdzon",
				"został zweryfikowan", "została zweryfikowan", "został pomyślnie potwierdzon",
				"został pomyślnie zweryfikowan", "została pomyślnie zweryfikowan",
				"został aktywowan", "zostało aktywowan", "zostało pomyślnie aktywowan",
				"konto jest teraz aktywne",
			},
		}},
	{name: "Romanian", late: true,
		unless: strings.Fields("dacă daca când cand după dupa până pana înainte inainte odată odata " +
			"doar numai confirmați confirmaţi asigurați asiguraţi " +
			"verificați verificaţi poate eventual probabil"),
		denies: strings.Fields("nu niciodată niciodata trebuie va să sa care nicio niciun " +
			"posibil aproape"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"a fost deja folosit", "a fost deja utilizat", "folosit o singură dată"},
			OutcomeAlready: {
				"a fost deja confirmat", "a fost deja verificat", "este deja confirmat",
				"este deja verificat",
			},
			OutcomeExpired: {"a expirat", "nu mai este valabil", "nu mai este valid"},
			OutcomeRefused: {
				"nu se poate confirma", "nu a putut fi confirmat", "nu a putut fi verificat",
				"link invalid", "linkul nu este valid",
			},
			OutcomeConfirmed: {"a fost confirmat", "a fost verificat", "a fost activat"},
		}},
	{name: "Turkish", late: true, closes: true,
		unless: strings.Fields("eğer şayet belki muhtemelen emin ancak"),
		denies: strings.Fields("henüz hiç hiçbir asla değil"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"zaten kullanılmış", "yalnızca bir kez kullanılabilir"},
			OutcomeAlready: {
				"zaten onaylanmış", "zaten onaylandı", "zaten doğrulanmış", "zaten doğrulandı",
			},
			OutcomeExpired: {"süresi doldu", "süresi dolmuş", "sona ermiş"},
			OutcomeRefused: {
				"doğrulanamadı", "onaylanamadı", "onaylanamıyor", "geçersiz bağlantı",
				"bağlantı geçersiz",
			},
			OutcomeConfirmed: pairs([]string{"hesabınız ", "hesap ", "eposta adresiniz ", "kaydınız "},
				[]string{"onaylandı", "doğrulandı", "etkinleştirildi", "aktifleştirildi"},
				"", "başarıyla ", "şu anda "),
		}},
	{name: "Arabic", late: true,
		unless: strings.Fields("إذا اذا وإذا واذا فإذا فاذا إن لو عندما حين حينما بعد بعدما قبل حتى " +
			"متى كلما لما ربما لعل يكون تكون تأكد تأكدي تأكدوا التأكد هل بمجرد حالما ريثما شرط فقط"),
		denies: strings.Fields("لم ولم فلم لن ولن لا ولا ما ليس وليس غير يجب سوف عدم يرجى الرجاء " +
			"الذي التي المفترض عند كي لكي أجل قريبا أي كيف"),
		phrases: map[Outcome][]string{
			OutcomeUsed:    {"تم استخدام هذا الرابط", "تم استخدام الرابط"},
			OutcomeAlready: {"تم تأكيده بالفعل", "تم التحقق منه بالفعل", "مؤكد بالفعل"},
			OutcomeExpired: {"انتهت صلاحية", "منتهي الصلاحية", "انتهت المدة", "لم يعد صالح"},
			OutcomeRefused: {
				"فشل تأكيد", "فشل التحقق", "تعذر تأكيد", "تعذر التحقق", "الرابط غير صالح",
				"رابط غير صالح",
			},
			OutcomeConfirmed: pairs([]string{"تم تأكيد ", "تم تفعيل ", "تم التحقق من ", "تم التأكيد من "},
				[]string{"بريدك", "عنوان بريدك", "البريد", "عنوان البريد", "حسابك", "تسجيلك"}, ""),
		}},
	{name: "Vietnamese", late: true, unless: vietnameseConditions, denies: vietnameseDenials,
		phrases: map[Outcome][]string{
			OutcomeUsed: {"đã được sử dụng"},
			OutcomeAlready: {
				"đã được xác nhận trước đó", "đã được xác minh trước đó", "đã được xác nhận rồi",
			},
			OutcomeExpired: {"đã hết hạn"},
			OutcomeRefused: {
				"không thể xác nhận", "không thể xác minh", "liên kết không hợp lệ",
				"xác minh không thành công", "xác nhận không thành công",
			},
			OutcomeConfirmed: {"đã được xác nhận", "đã được xác minh", "đã được kích hoạt"},
		}},
	// "How to confirm an account successfully" has the same words after others.
	{name: "Vietnamese, without a subject", late: true, opens: true, closes: true,
		unless: vietnameseConditions, denies: vietnameseDenials,
		phrases: map[Outcome][]string{
			OutcomeConfirmed: pairs([]string{"xác nhận ", "xác minh ", "xác thực "},
				[]string{"tài khoản thành công", "email thành công"}, ""),
		}},
	{name: "Chinese", late: true, closes: true, unless: chineseConditions, denies: chineseDenials,
		phrases: map[Outcome][]string{
			OutcomeUsed: {"链接已被使用", "链接已使用", "連結已被使用", "連結已使用"},
			OutcomeAlready: append(
				pairs(simplifiedSubjects, []string{"已经验证", "已经过验证", "已经确认", "已被验证通过"}, ""),
				pairs(traditionalSubjects, []string{"已經驗證", "已經確認", "已經啟用"}, "")...),
			OutcomeExpired: {"已过期", "已失效", "已過期", "已經過期", "不再有效"},
			OutcomeRefused: {
				"链接无效", "无效的链接", "无效链接", "无法验证", "无法确认", "验证失败", "連結無效",
				"無效的連結", "無法驗證", "無法確認", "驗證失敗",
			},
			OutcomeConfirmed: slices.Concat(
				pairs(strings.Fields("账户 账号 帐户 帐号"), []string{"已启用"}, ""),
				pairs(simplifiedSubjects, strings.Fields("已验证 已确认 已激活 已通过验证 已被验证 "+
					"已被确认 已经被确认 已成功验证 验证成功 验证完成 激活成功"), ""),
				pairs(traditionalSubjects, strings.Fields("已驗證 已確認 已啟用 已通過驗證 已被驗證 "+
					"已被確認 已成功驗證 驗證成功 驗證完成 已成功啟用"), "")),
		}},
	{name: "Chinese, without a subject", late: true, opens: true, closes: true,
		unless: chineseConditions, denies: chineseDenials,
		phrases: map[Outcome][]string{OutcomeConfirmed: {"成功验证您的邮箱"}}},
	{name: "Japanese, of the host", late: true, closes: true, unless: []string{"もし", "おそらく"},
		phrases: map[Outcome][]string{OutcomeConfirmed: {"あなたのメールアドレスを確認しました"}}},
	// The name of a fact is asked for elsewhere: "you need your email verified", "requiere e-mail
	// verificado".
	{name: "English, without a verb", opens: true, unless: englishConditions, denies: englishDenials,
		phrases: map[Outcome][]string{OutcomeConfirmed: append(
			pairs([]string{"email ", "email address ", "your email ", "your email address "},
				[]string{"verified", "confirmed"}, ""),
			pairs([]string{"account ", "your account "},
				[]string{"verified", "confirmed", "activated"}, "")...)}},
	{name: "Spanish, without a verb", late: true, opens: true, closes: true,
		unless:  []string{"si", "cuando"},
		phrases: map[Outcome][]string{OutcomeConfirmed: {"email verificado"}}},
}

var (
	englishConditions = strings.Fields("if once after until when unless before whether sure ensure " +
		"maybe perhaps may might")
	englishDenials = append(strings.Fields("no i please confirm check whose"), "to be")

	germanConditions = strings.Fields("prüfen überprüfen bestätigen wenn falls sobald nachdem bis " +
		"bevor sofern ob sicher eventuell vielleicht möglicherweise")

	vietnameseConditions = append(strings.Fields("nếu khi sau trước đảm liệu chờ hay miễn"),
		"chắc chắn", "có thể", "có lẽ", "kiểm tra")
	vietnameseDenials = append(strings.Fields("chưa không chẳng đừng cần phải hãy sẽ sắp "+
		"nào giả gần mà"),
		"vui lòng")

	chineseConditions = strings.Fields("如 若 假设 倘 一旦 当 當 是否 可能 也许 也許 或许 或許 大概 只有 " +
		"但 待 撤 取消 假如 万一 萬一 只要 除非 直到 之前 前 后 後 时 時 才 即可 方可 确保 確保 检查 檢查 吗 嗎 为了 為了 需 须 須 必")
	chineseDenials = strings.Fields("未 没 沒 不 无 無 非 否 请 請 将 將 待 想 要 让 讓 何 尚 再 等 选 選 认为 認為")

	simplifiedSubjects  = strings.Fields("邮箱 邮件 邮箱地址 邮件地址 email 账户 账号 帐户 帐号 注册")
	traditionalSubjects = strings.Fields("信箱 郵件 郵件地址 郵箱 email 帳戶 帳號")
)

// pairs returns each subject with each verb, and each of some adverbs between them.
func pairs(subjects, verbs []string, adverbs ...string) []string {
	var all []string
	for _, subject := range subjects {
		for _, adverb := range adverbs {
			for _, verb := range verbs {
				all = append(all, subject+adverb+verb)
			}
		}
	}
	return all
}
