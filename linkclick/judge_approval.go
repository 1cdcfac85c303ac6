package linkclick

import "strings"

// This file finds what a page tells of an approval that an account may still need, beside its
// success. The link has done what it does, and yet the person may not be able to sign in.

// approvals are stems for what a provider's own people do with an account.
var approvals = strings.Split("approv,moderat,reviewed by,review by,pending review,"+
	"freigeschaltet,freischalt,freigegeben,genehmig,godkend,godkjen,godkän,goedkeur,goedgekeur,"+
	"approuv,approbation,aprob,aprueb,aprov,zatwierdz,schvál,hyväks,onayı bekl,onayını bekl,"+
	"yönetici onay,одобр,модерац,модератор,схвал,έγκρισ,εγκριθ,موافقة,phê duyệt,审核,審核,批准,承認", ",")

// lacking are words with which an approval is one that is to come. After "has been approved" there
// is none of them.
var lacking = strings.Fields("await awaits awaiting wait waits waiting pending must needs need " +
	"requires require until once when before subject will noch wartet muss müssen sobald bevor wenn " +
	"afvent afventer venter skal når inden avventer må før väntar måste ska när innan wacht moet " +
	"zodra nog voordat attente doit dès avant pendiente espera debe cuando hasta attesa deve dopo " +
	"quando prima pendente aguarda aguardando aguardar czeka oczekuje musi zanim čeká musí dokud " +
	"odottaa pitää kunnes așteptare așteaptă trebuie bekliyor bekleniyor bekleyin ожидает ждёт " +
	"ждет должен должна после очікує чекає має після αναμένει αναμονή πρέπει εκκρεμεί انتظار " +
	"بانتظار يجب chờ đợi 等待 需 待 後 后 必要 されるまで されると")

// awaitsApproval reports whether statements speak of an approval that is to come. Where they only
// seem to, that costs little: their reader is told that there may be one.
func awaitsApproval(statements []string) bool {
	for _, s := range statements {
		if hasStem(s, approvals) && hasWord(s, lacking) {
			return true
		}
	}
	return false
}

// unlessAwaited judges a success by the statements beside it, which may speak of an approval that
// is to come.
func unlessAwaited(success Outcome, statements []string) Outcome {
	if awaitsApproval(statements) {
		return OutcomeUnapproved
	}
	return success
}
