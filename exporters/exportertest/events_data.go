package exportertest

// page is a kind of page; one with items has an address for each of them.
type page struct {
	route, path, title string
	items              int
	query              bool
}

type source struct {
	channel, domain, referrer string
	utm                       [3]string
}

var pages = []page{
	{route: "/", title: "Acme"},
	{route: "/pricing", title: "Pricing – Acme"},
	{route: "/cart", title: "Your cart – Acme"},
	{route: "/account/billing", title: "Billing – Acme"},
	{route: "/search", title: "Search – Acme", query: true},
	{route: "/search", title: "Search – Acme", query: true},
	{route: "/products/{id}", path: "/products", title: "Product", items: 20_000},
	{route: "/products/{id}", path: "/products", title: "Product", items: 20_000},
	{route: "/products/{id}", path: "/products", title: "Product", items: 20_000},
	{route: "/guides/{slug}", path: "/guides", title: "Guide", items: 300},
	{route: "/blog/{slug}", path: "/blog", title: "Blog", items: 900},
}

var words = []string{
	"lamp", "chair", "table", "sofa", "desk", "shelf", "rug", "mirror", "clock", "vase", "pillow", "blanket",
	"oak", "walnut", "linen", "wool", "steel", "glass", "round", "tall", "small", "outdoor", "vintage", "grün",
}

var places = [][4]string{
	{"CH", "Zurich", "Zürich", "de-CH"}, {"CH", "Geneva", "Genève", "fr-CH"}, {"CH", "Bern", "Bern", "de-CH"},
	{"DE", "Bavaria", "München", "de-DE"}, {"DE", "Berlin", "Berlin", "de-DE"}, {"DE", "Hamburg", "Hamburg", "en-GB"},
	{"FR", "Île-de-France", "Paris", "fr-FR"}, {"FR", "Occitanie", "Toulouse", "fr-FR"},
	{"US", "California", "San Francisco", "en-US"}, {"US", "New York", "New York", "en-US"}, {"US", "Texas", "Austin", "es-US"},
	{"GB", "England", "London", "en-GB"}, {"JP", "Tokyo", "東京", "ja-JP"}, {"BR", "São Paulo", "São Paulo", "pt-BR"},
	{"IN", "Karnataka", "Bengaluru", "en-IN"}, {"", "", "", "en"},
}

var agents = [][3]string{
	{"chrome", "windows", "desktop"}, {"chrome", "windows", "desktop"}, {"chrome", "macos", "desktop"},
	{"chrome", "android", "mobile"}, {"chrome", "android", "mobile"}, {"safari", "ios", "mobile"}, {"safari", "ios", "mobile"},
	{"safari", "macos", "desktop"}, {"safari", "ios", "tablet"}, {"firefox", "linux", "desktop"}, {"firefox", "windows", "desktop"},
	{"edge", "windows", "desktop"}, {"samsung internet", "android", "mobile"},
}

var sources = []source{
	{channel: "direct"}, {channel: "direct"}, {channel: "direct"},
	{channel: "organic search", domain: "google.com", referrer: "https://www.google.com/"},
	{channel: "organic search", domain: "google.com", referrer: "https://www.google.com/"},
	{channel: "organic search", domain: "bing.com", referrer: "https://www.bing.com/"},
	{channel: "organic social", domain: "reddit.com", referrer: "https://www.reddit.com/r/homedecor/comments/1k2j3h/"},
	{channel: "referral", domain: "example.org", referrer: "https://example.org/best-lamps-of-the-year"},
	{channel: "email", utm: [3]string{"newsletter", "email", "spring-sale"}},
	{channel: "paid search", domain: "google.com", referrer: "https://www.google.com/", utm: [3]string{"google", "cpc", "brand"}},
}
