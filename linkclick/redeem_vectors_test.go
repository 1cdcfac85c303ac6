package linkclick

// The URLs and addresses that no click may lead to. The tests of the rule, of the
// guard and of whole clicks go through all of them.

// hostileLinks must be refused by a rule that allows login.acme.example only,
// before anything is resolved.
var hostileLinks = []string{
	"", "/", "//login.acme.example/", "login.acme.example", "https:", "https://", "https:///x", "https:login.acme.example",
	"https:/login.acme.example/", "http://login.acme.example/", "ftp://login.acme.example/", "javascript:alert(1)",
	"data:text/html,x", "file:///etc/passwd", "gopher://login.acme.example/", "mailto:a@login.acme.example", "blob:https://login.acme.example/",
	"https://user@login.acme.example/", "https://user:pw@login.acme.example/", "https://login.acme.example@evil.example/",
	"https://login.acme.example:x@evil.example/", `https://login.acme.example\@evil.example/`, `https://evil.example\.login.acme.example/`,
	`https:\\login.acme.example\`, "https://login.acme.example\t/", "https://login.acme.example/\r\nX: y", "https://login.acme.example/\x00",
	"https://login.acme.example /", "https://login.acme.example#@evil.example:99/", "https://login.acme.example:22/",
	"https://login.acme.example:80/", "https://login.acme.example:0/", "https://login.acme.example:65536/", "https://login.acme.example:-1/",
	"https://login.acme.example:443x/", "https://login.acme.example.:443/", "https://login.acme.example../", "https://.login.acme.example/",
	"https://evil.login.acme.example/", "https://login.acme.example.evil.example/", "https://loginacme.example/", "https://login.acme.exampl/",
	"https://login%2eacme.example/", "https://login.acme.example%00.evil.example/", "https://login。acme。example/", "https://lоgin.acme.example/",
	"https://ｌogin.acme.example/", "https://xn--lgin-0qa.acme.example/", "https://login.acme.example%2f@evil.example/",
	"https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/",
	"https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.1./", "https://127.0.0.0x1/", "https://0/", "https://0.0.0.0/", "https://localhost/",
	"https://localhost./", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
	"https://[64:ff9b::7f00:1]/", "https://[fe80::1%25eth0]/", "https://[fec0::1]/", "https://169.254.169.254/", "https://[fd00:ec2::254]/",
	"https://168.63.129.16/", "https://10.0.0.1/", "https://192.168.0.1/", "https://172.16.0.1/", "https://100.64.0.1/", "https://①②⑦.0.0.1/",
	"https://127。0。0。1/", "https://[login.acme.example]/", "https://[::1/", "https://::1/", "https://metadata.google.internal/",

	// Schemes.
	"ws://login.acme.example/", "wss://login.acme.example/", "ldap://login.acme.example/", "dict://login.acme.example:11211/", "sftp://login.acme.example/",
	"tel:+4512345678", "sms:+4512345678", "intent://login.acme.example/#Intent;scheme=https;end", "view-source:https://login.acme.example/",
	"jar:https://login.acme.example!/", "about:blank", "vbscript:x", "httpss://login.acme.example/", "hxxps://login.acme.example/", "https+unix://login.acme.example/",
	"http:/login.acme.example", "https:\t//login.acme.example/", "ht\ntps://login.acme.example/", "\x01https://login.acme.example/",
	// Users.
	"https://@login.acme.example/", "https://:@login.acme.example/", "https://%40@login.acme.example/", "https://login.acme.example%40evil.example/",
	"https://login.acme.example:443@evil.example/", "https://evil.example:443@login.acme.example/", "https://login.acme.example&@evil.example/",
	"https://login.acme.example;@evil.example/", "https://login.acme.example,evil.example/", "https://a:b@c:d@login.acme.example/",
	// Ports.
	"https://login.acme.example:4430/", "https://login.acme.example:44300/", "https://login.acme.example:443:443/", "https://login.acme.example:+443/",
	"https://login.acme.example: 443/", "https://login.acme.example:0x1bb/", "https://login.acme.example:00443/", "https://login.acme.example:65979/",
	"https://login.acme.example:４４３/", "https://login.acme.example:1/", "https://login.acme.example:25/", "https://login.acme.example:2375/",
	"https://login.acme.example:6379/", "https://login.acme.example:8080/", "https://login.acme.example:9200/", "https://login.acme.example:11211/",
	// Backslashes, tabs and escapes.
	`https:/\login.acme.example/`, `https://login.acme.example\evil.example/`, `https://evil.example\@login.acme.example/`, `\\login.acme.example\x`,
	"https://login.acme.example%09/", "https://login.acme.example%0d%0aHost:evil/", "https://login%2Eacme%2Eexample/", "https://%6cogin.acme.example/",
	"https://login.acme.example%23.evil.example/", "https://login.acme.example%3F.evil.example/", "https://login.acme.example%5c@evil.example/",
	"https://login.acme.example\x7f/", "https://login.acme.example\u00a0/", "https://login.acme.example\u200b/", "https://login.acme.example\u00ad/",
	"https://login.acme.example\u2028/", "https://login.acme.example/\x1b[2J", "https://login.acme.example/a b",
	// Names that look alike.
	"https://login-acme.example/", "https://login.acme-example/", "https://login.acme.example.com/", "https://login.acme.example-evil.example/",
	"https://xlogin.acme.example/", "https://login.acme.examples/", "https://LOGIN.ACME.EXAMPLE.EVIL.EXAMPLE/", "https://1ogin.acme.example/",
	"https://login.acrne.example/", "https://lοgin.acme.example/", "https://login.acmе.example/", "https://login.acme.eхample/", "https://login․acme.example/",
	"https://login．acme．example/", "https://login｡acme｡example/", "https://ⓛogin.acme.example/", "https://ℓogin.acme.example/", "https://loĝin.acme.example/",
	"https://xn--login-acme-example/", "https://xn--/", "https://login.acme.example。/", "https://login_acme.example/", "https://*.acme.example/", "https://.acme.example/",
	// Names of this machine, its network and its cloud.
	"https://localhost.localdomain/", "https://LOCALHOST/", "https://ip6-localhost/", "https://localtest.me/", "https://127.0.0.1.nip.io/",
	"https://metadata/", "https://instance-data/", "https://kubernetes.default.svc/", "https://host.docker.internal/", "https://db/", "https://router.lan/",
	"https://printer.local/", "https://wpad/", "https://login/",
	// Addresses in all their notations.
	"https://127.0.0.2/", "https://127.127.127.127/", "https://0177.0.0.01/", "https://0x7f.0x0.0x0.0x1/", "https://0X7F000001/", "https://017700000001./",
	"https://2130706433./", "https://127.0.0.1.:443/", "https://127.0.1:443/", "https://0.0.0.0.0/", "https://00/", "https://0x/", "https://0x0/",
	"https://1/", "https://256.256.256.256/", "https://4294967295/", "https://4294967296/", "https://10.1/", "https://0xa000001/", "https://012.0.0.1/",
	"https://192.168.1/", "https://3232235777/", "https://0xc0a80101/", "https://169.254.43518/", "https://2852039166/", "https://0xa9fea9fe/",
	"https://0251.0376.0251.0376/", "https://169.254.169.254.:443/", "https://8.8.8.8/", "https://1.1.1.1:443/", "https://１２７.0.0.1/", "https://127.0.0.%31/",
	"https://[0:0:0:0:0:0:0:1]/", "https://[::1%25lo]/", "https://[::1%lo]/", "https://[::ffff:127.0.0.1%25lo]/", "https://[::ffff:0:127.0.0.1]/",
	"https://[0:0:0:0:0:ffff:7f00:1]/", "https://[::ffff:a9fe:a9fe]/", "https://[::ffff:169.254.169.254]/", "https://[2002:7f00:1::]/",
	"https://[2001:0:7f00:1::]/", "https://[2606:4700::5efe:7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[fe80::1]/", "https://[fc00::1]/",
	"https://[ff02::1]/", "https://[2606:4700:4700::1111]/", "https://[::1]:443/", "https://[::1]login.acme.example/", "https://login.acme.example[::1]/",
	"https://[login.acme.example]:443/", "https://[]/", "https://[v1.x]/", "https://[::1]@login.acme.example/",
}

// hostileAddresses are refused when dialed, whatever name led to them.
var hostileAddresses = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.0.1",
	"169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1",
	"192.168.0.0", "192.168.255.255", "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
	"240.0.0.1", "255.255.255.255", "168.63.129.16",
	"::", "::1", "::2", "::7f00:1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
	"::ffff:168.63.129.16", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1",
	"2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254",
	"fdff::1", "fe80::1", "fe80::1%lo", "2606:4700::1%lo", "fec0::1", "feff::1", "ff02::1", "ff0e::1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1",
	"0.255.255.255", "100.100.100.200", "127.0.0.2", "169.254.170.2", "169.254.255.255", "172.20.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.255", "192.88.99.2",
	"198.18.0.1", "198.51.100.255", "203.0.113.255", "224.0.0.251", "232.1.1.1", "240.0.0.0", "254.255.255.255",
	"::ffff:100.64.0.1", "::ffff:172.16.0.1", "::ffff:192.168.0.1", "::ffff:224.0.0.1", "::ffff:255.255.255.255", "::ffff:0:7f00:1", "::a9fe:a9fe",
	"64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "2001:0:a9fe:a9fe::1", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "2001:db8:ffff::1", "fd12:3456:789a::1",
	"fe80::5efe:7f00:1", "febf::1", "ff05::1", "2606:4700::5efe:a9fe:a9fe", "2606:4700::1%25eth0", "1fff::1", "e000::1",
}
