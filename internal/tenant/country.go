package tenant

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// setCountries takes country codes in any case. Each other way in which people write countries gets
// a hint of its own.
func setCountries(t *Tenant, v []string) *settings.Mistake {
	var all []string
	for _, item := range v {
		code := strings.ToUpper(item)
		switch {
		case code == phonemail.AnyCountry && len(v) > 1:
			return settings.Wrong("has * beside countries", "write either * or the countries")
		case code != phonemail.AnyCountry && !phonemail.IsCountry(code):
			return settings.Wrong("has an unknown country "+settings.Quote(item), countryHint(item))
		}
		all = append(all, code)
	}
	t.Policy.Countries = all
	return nil
}

var callingCode = regexp.MustCompile(`^(?:\+|00)?([1-9][0-9]{0,3})$`)

// countryHint says what to write instead of what is no country code.
func countryHint(item string) string {
	if code, ok := countryNames()[strings.ToLower(item)]; ok {
		return "write " + code + ", the code of two letters (ISO 3166-1) for " + item
	}
	if found := callingCode.FindStringSubmatch(item); found != nil {
		switch countries := phonemail.CountriesOf(found[1]); {
		case len(countries) == 1:
			return "write " + countries[0] + ", the country of the calling code +" + found[1]
		case len(countries) > 1:
			return "write the country: " + countries[0] + " or another of the " +
				strconv.Itoa(len(countries)) + " with the calling code +" + found[1]
		}
	}
	isSeparator := func(r rune) bool { return strings.ContainsRune(" \t;,/|", r) }
	words := strings.FieldsFunc(item, isSeparator)
	isCode := func(word string) bool { return phonemail.IsCountry(strings.ToUpper(word)) }
	if len(words) > 1 && slices.ContainsFunc(words, isCode) {
		return "separate the countries by commas: " + strings.Join(words, ",") +
			", in a file as a list: [" + strings.Join(words, ", ") + "]"
	}
	return "use codes of two letters (ISO 3166-1), such as DK, SE or GB"
}

// countryNames returns the codes of countries by their names in small letters, and what people
// write for all of them.
func countryNames() map[string]string {
	names := map[string]string{}
	for _, word := range []string{"all", "any", "every", "everywhere", "world", "worldwide"} {
		names[word] = phonemail.AnyCountry
	}
	for line := range strings.Lines(countryTable) {
		code, all, _ := strings.Cut(strings.TrimSpace(line), " ")
		for name := range strings.SplitSeq(all, ",") {
			names[strings.ToLower(strings.TrimSpace(name))] = code
		}
	}
	return names
}

// countryTable has the countries by their code, with the names that people give them.
const countryTable = `AD Andorra
AE United Arab Emirates, UAE, Emirates
AF Afghanistan
AG Antigua and Barbuda, Antigua
AI Anguilla
AL Albania
AM Armenia
AO Angola
AR Argentina
AS American Samoa
AT Austria, Österreich
AU Australia
AW Aruba
AX Åland, Åland Islands
AZ Azerbaijan
BA Bosnia and Herzegovina, Bosnia
BB Barbados
BD Bangladesh
BE Belgium, België, Belgique
BF Burkina Faso
BG Bulgaria
BH Bahrain
BI Burundi
BJ Benin
BL Saint Barthélemy
BM Bermuda
BN Brunei
BO Bolivia
BQ Caribbean Netherlands, Bonaire
BR Brazil, Brasil
BS Bahamas
BT Bhutan
BW Botswana
BY Belarus
BZ Belize
CA Canada
CC Cocos Islands
CD Congo Kinshasa, DR Congo
CF Central African Republic
CG Congo Brazzaville, Congo
CH Switzerland, Schweiz, Suisse, Svizzera
CI Ivory Coast, Côte d'Ivoire
CK Cook Islands
CL Chile
CM Cameroon
CN China
CO Colombia
CR Costa Rica
CU Cuba
CV Cape Verde
CW Curaçao, Curacao
CX Christmas Island
CY Cyprus
CZ Czechia, Czech Republic
DE Germany, Deutschland
DJ Djibouti
DK Denmark, Danmark
DM Dominica
DO Dominican Republic
DZ Algeria
EC Ecuador
EE Estonia, Eesti
EG Egypt
EH Western Sahara
ER Eritrea
ES Spain, España
ET Ethiopia
FI Finland, Suomi
FJ Fiji
FK Falkland Islands
FM Micronesia
FO Faroe Islands, Faroes
FR France
GA Gabon
GB UK, United Kingdom, Great Britain, Britain, England, Scotland, Wales
GD Grenada
GE Georgia
GF French Guiana
GG Guernsey
GH Ghana
GI Gibraltar
GL Greenland
GM Gambia
GN Guinea
GP Guadeloupe
GQ Equatorial Guinea
GR Greece
GT Guatemala
GU Guam
GW Guinea-Bissau
GY Guyana
HK Hong Kong
HN Honduras
HR Croatia, Hrvatska
HT Haiti
HU Hungary
ID Indonesia
IE Ireland
IL Israel
IM Isle of Man
IN India
IO British Indian Ocean Territory
IQ Iraq
IR Iran
IS Iceland
IT Italy, Italia
JE Jersey
JM Jamaica
JO Jordan
JP Japan
KE Kenya
KG Kyrgyzstan
KH Cambodia
KI Kiribati
KM Comoros
KN Saint Kitts and Nevis
KP North Korea
KR South Korea, Korea
KW Kuwait
KY Cayman Islands
KZ Kazakhstan
LA Laos
LB Lebanon
LC Saint Lucia
LI Liechtenstein
LK Sri Lanka
LR Liberia
LS Lesotho
LT Lithuania, Lietuva
LU Luxembourg
LV Latvia, Latvija
LY Libya
MA Morocco
MC Monaco
MD Moldova
ME Montenegro
MF Saint Martin
MG Madagascar
MH Marshall Islands
MK North Macedonia, Macedonia
ML Mali
MM Myanmar, Burma
MN Mongolia
MO Macao, Macau
MP Northern Mariana Islands
MQ Martinique
MR Mauritania
MS Montserrat
MT Malta
MU Mauritius
MV Maldives
MW Malawi
MX Mexico, México
MY Malaysia
MZ Mozambique
NA Namibia
NC New Caledonia
NE Niger
NF Norfolk Island
NG Nigeria
NI Nicaragua
NL Netherlands, The Netherlands, Holland, Nederland
NO Norway, Norge
NP Nepal
NR Nauru
NU Niue
NZ New Zealand
OM Oman
PA Panama
PE Peru
PF French Polynesia
PG Papua New Guinea
PH Philippines
PK Pakistan
PL Poland, Polska
PM Saint Pierre and Miquelon
PR Puerto Rico
PS Palestine
PT Portugal
PW Palau
PY Paraguay
QA Qatar
RE Réunion, Reunion
RO Romania
RS Serbia
RU Russia
RW Rwanda
SA Saudi Arabia
SB Solomon Islands
SC Seychelles
SD Sudan
SE Sweden, Sverige
SG Singapore
SH Saint Helena
SI Slovenia
SJ Svalbard
SK Slovakia
SL Sierra Leone
SM San Marino
SN Senegal
SO Somalia
SR Suriname
SS South Sudan
ST Sao Tome and Principe
SV El Salvador
SX Sint Maarten
SY Syria
SZ Eswatini, Swaziland
TC Turks and Caicos Islands
TD Chad
TG Togo
TH Thailand
TJ Tajikistan
TK Tokelau
TL Timor-Leste, East Timor
TM Turkmenistan
TN Tunisia
TO Tonga
TR Turkey, Türkiye
TT Trinidad and Tobago
TV Tuvalu
TW Taiwan
TZ Tanzania
UA Ukraine
UG Uganda
US USA, United States, United States of America, America
UY Uruguay
UZ Uzbekistan
VA Vatican, Vatican City
VC Saint Vincent
VE Venezuela
VG British Virgin Islands
VI US Virgin Islands
VN Vietnam
VU Vanuatu
WF Wallis and Futuna
WS Samoa
XK Kosovo
YE Yemen
YT Mayotte
ZA South Africa
ZM Zambia
ZW Zimbabwe`
