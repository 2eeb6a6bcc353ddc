package spooltest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Cut is the power cut: it makes a folder that holds what the disk would after it. Each name that was not synced is
// there or not, each file holds what was synced and, by chance, blocks of what was written since, with zeros between.
func (d *Disk) Cut(to string, chance *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, node := range d.files {
		d.look(node)
	}
	left := map[string]*inode{}
	for path, node := range d.files { // made or renamed since
		if chance.IntN(2) == 0 {
			left[path] = node
		}
	}
	for folder, names := range d.durable {
		for name, node := range names {
			path := filepath.Join(folder, name)
			now, present := d.files[path]
			if present && now == node || chance.IntN(2) == 0 { // not removed or replaced since, or that is not durable
				left[path] = node
			}
		}
	}
	for path, node := range left {
		rest, ok := strings.CutPrefix(path, d.Dir)
		if !ok {
			continue
		}
		target := filepath.Join(to, rest)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(target, node.remains(chance), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const block = 512

func (n *inode) remains(chance *rand.Rand) []byte {
	content := append([]byte(nil), n.synced...)
	if chance.IntN(2) == 0 || len(n.latest) < len(content) {
		return content
	}
	content = append(content, make([]byte, chance.IntN(len(n.latest)-len(content)+1))...)
	for from := 0; from < len(content); from += block {
		if chance.IntN(2) == 0 {
			copy(content[from:min(from+block, len(content))], n.latest[from:])
		}
	}
	return content
}
