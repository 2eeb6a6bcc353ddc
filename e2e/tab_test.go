package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tab is a tab of a browser. It is used as a person does, with mouse and keyboard: what the browser itself offers for it
// does not need scripts on the page.
type tab struct {
	t   *testing.T
	ctx context.Context
}

type action = chromedp.Action[chromedp.Void]

func do(f func(context.Context, *chromedp.Target) error) action { return chromedp.Func(f) }

// run bounds what the browser may take.
func (b *tab) run(a action) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, a)
	return err
}

func (b *tab) must(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// follow does something that leads to another page, and waits for that page.
func (b *tab) follow(a action) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, a)
	return err
}

// open is an address typed into the address bar.
func (b *tab) open(url string) {
	b.t.Helper()
	b.must("open "+url, b.run(chromedp.Navigate(url)))
}

// click clicks a link or a button, and waits for the page that it leads to.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.must("click "+selector, b.follow(press(selector)))
}

func (b *tab) reload() {
	b.t.Helper()
	b.must("reload", b.run(chromedp.Reload()))
}

// back and forward go through the history. The browser may show a page again as it was, without loading it; hence they
// wait for what it shows.
func (b *tab) back(sees string)    { b.t.Helper(); b.travel(-1, sees) }
func (b *tab) forward(sees string) { b.t.Helper(); b.travel(+1, sees) }

func (b *tab) travel(steps int64, sees string) {
	b.t.Helper()
	b.must("go through the history", b.run(do(func(ctx context.Context, t *chromedp.Target) error {
		history, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		to := history.Entries[history.CurrentIndex+steps].ID
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: to})
		return err
	})))
	eventually(b.t, "the browser shows "+sees, func() bool {
		html, err := b.html("html")
		return err == nil && strings.Contains(html, sees)
	})
}

// clickSlow clicks, and returns at once; wait waits for the page.
func (b *tab) clickSlow(selector string) (wait func()) {
	arrived := make(chan error, 1)
	go func() { arrived <- b.follow(press(selector)) }()
	return func() {
		b.t.Helper()
		b.must("click "+selector, <-arrived)
	}
}

// fill types into a field of a form.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.must("fill "+selector, b.run(do(func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, selector)
		if err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, dom.Focus, dom.FocusParams{BackendNodeID: node}); err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})))
}

// source returns the HTML of an element as the browser has it.
func (b *tab) source(selector string) string {
	b.t.Helper()
	html, err := b.html(selector)
	b.must("read "+selector, err)
	return html
}

func (b *tab) html(selector string) (html string, err error) {
	err = b.run(do(func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, selector)
		if err != nil {
			return err
		}
		res, err := cdp.Call(ctx, t, dom.GetOuterHTML, dom.GetOuterHTMLParams{BackendNodeID: node})
		html = res.OuterHTML
		return err
	}))
	return html, err
}

// address is what stands in the address bar.
func (b *tab) address() (url string) {
	b.t.Helper()
	b.must("read the address", b.run(do(func(ctx context.Context, t *chromedp.Target) error {
		res, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err == nil {
			url = res.Entries[res.CurrentIndex].URL
		}
		return err
	})))
	return url
}

// find returns the first element that the selector matches. The driver looks at each new page for itself, and what the
// browser told us before is then void: so we ask again, for the one number that stays.
func find(ctx context.Context, t *chromedp.Target, selector string) (cdp.BackendNodeID, error) {
	for {
		node, err := look(ctx, t, selector)
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Could not find node") {
			return node, err
		}
	}
}

func look(ctx context.Context, t *chromedp.Target, selector string) (cdp.BackendNodeID, error) {
	doc, err := cdp.Call(ctx, t, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		return 0, err
	}
	found, err := cdp.Call(ctx, t, dom.QuerySelector, dom.QuerySelectorParams{NodeID: doc.Root.NodeID, Selector: selector})
	if err != nil {
		return 0, err
	}
	if found.NodeID == 0 {
		return 0, fmt.Errorf("no element %s on the page", selector)
	}
	node, err := cdp.Call(ctx, t, dom.DescribeNode, dom.DescribeNodeParams{NodeID: found.NodeID})
	if err != nil {
		return 0, err
	}
	return node.Node.BackendNodeID, nil
}

// press moves the mouse to the middle of an element and clicks.
func press(selector string) action {
	return do(func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, selector)
		if err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
			return err
		}
		res, err := cdp.Call(ctx, t, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
		if err != nil {
			return err
		}
		if len(res.Quads) == 0 {
			return fmt.Errorf("the element %s is not shown", selector)
		}
		q := res.Quads[0]
		x, y := (q[0]+q[4])/2, (q[1]+q[5])/2
		for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
			_, err := cdp.Call(ctx, t, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, ClickCount: 1,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
