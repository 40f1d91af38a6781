package cluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/store"
)

// newInformer makes one that lists page by page, and turns each page into what is kept before it asks for the next one.
// By itself an informer would either hold all objects of a cluster at once, or have the API server send each as an
// event of its own, which takes up to twice the processor time.
func (w *Watch) newInformer(
	lw toolscache.ListerWatcher, example runtime.Object, resync time.Duration, by toolscache.Indexers,
) toolscache.SharedIndexInformer {
	whole := toolscache.ToListerWatcherWithContext(lw)
	paged := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
			return w.keepPages(ctx, whole)
		},
		WatchFuncWithContext: whole.WatchWithContext,
	}
	lister := toolscache.ToListWatcherWithWatchListSemantics(paged, noEvents{})
	return toolscache.NewSharedIndexInformer(lister, example, resync, by)
}

// noEvents tells client-go not to have the objects sent as events.
type noEvents struct{}

func (noEvents) IsWatchListSemanticsUnSupported() bool { return true }

// keepPages lists page by page. It pays no regard to what an informer asks for: from the version it names, "0" at
// first, the API server would answer without regard to any limit. What is kept is as of the first page, also where
// later ones are newer: the watch goes on from there, and so misses nothing that became of the objects of the first
// pages meanwhile.
func (w *Watch) keepPages(ctx context.Context, whole toolscache.ListerWatcherWithContext) (runtime.Object, error) {
	var sizes store.Sizes
	var shares store.Shares
	kept, _, err := pages(pageSize, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		if o.Continue == "" {
			sizes, shares = store.Sizes{}, store.Shares{}
		}
		if o.Limit == 0 { // the pages became too old, and there is no token to go on: all at once, as of any time
			o.ResourceVersion = "0"
		}
		list, err := whole.ListWithContext(ctx, o)
		if err != nil {
			return nil, err
		}
		return w.keepAll(list, sizes, shares)
	}).List(ctx, metav1.ListOptions{})
	return kept, err
}

// keepAll is what is kept of a list. sizes are those of the slices so far, shares those of the Services.
func (w *Watch) keepAll(list runtime.Object, sizes store.Sizes, shares store.Shares) (*internalversion.List, error) {
	about, err := meta.ListAccessor(list)
	if err != nil {
		return nil, fmt.Errorf("%T is no list: %w", list, err)
	}
	kept := &internalversion.List{
		ListMeta: metav1.ListMeta{ResourceVersion: about.GetResourceVersion(), Continue: about.GetContinue()},
		Items:    make([]runtime.Object, 0, meta.LenList(list)),
	}
	return kept, meta.EachListItem(list, func(object runtime.Object) error {
		k, err := w.keep(object)
		if err != nil {
			return err
		}
		switch k := k.(type) {
		case *keptSlice:
			if k.slice != nil {
				*k.slice = sizes.Fit(k.Namespace, *k.slice)
			}
		case *keptService:
			if k.service != nil {
				shares.Fit(k.service)
			}
		}
		kept.Items = append(kept.Items, k.(runtime.Object)) //nolint:forcetypeassert // keep returns nothing else
		return nil
	})
}
