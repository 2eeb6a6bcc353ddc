package pipeline

import (
	"os"
	"path/filepath"

	"github.com/loguro/loguro/internal/spool"
)

func readDead(p *Pipeline, letter string) (spool.Dead, error) {
	content, err := os.ReadFile(filepath.Join(p.config.Spool, "dead", letter))
	if err != nil {
		return spool.Dead{}, err
	}
	return spool.ParseDead(content)
}
