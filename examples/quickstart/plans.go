package main

import "slices"

// plan is what the site pretends to sell.
type plan struct {
	Name     string // in events
	Title    string
	Price    string
	Blurb    string
	Features []string
}

// plans are ordered from the smallest to the largest.
var plans = []plan{
	{"starter", "Starter", "$0", "For finding out whether you like it.", []string{"1 project", "7 days of history", "Community forum"}},
	{"pro", "Pro", "$12", "For people who came to stay.", []string{"Unlimited projects", "1 year of history", "E-mail support"}},
	{"team", "Team", "$29", "For everybody you work with.", []string{"Everything in Pro", "Unlimited history", "Shared dashboards"}},
}

func planIndex(name string) int {
	return slices.IndexFunc(plans, func(p plan) bool { return p.Name == name })
}
