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
)

// pageSize is how many objects one answer holds. Larger ones take more memory, and were not found to be faster.
const pageSize = 1000

// newInformer makes one that lists page by page, and turns each page into what is kept before it asks for the next one.
// By itself an informer would either hold all objects of a cluster at once, or have the API server send each as an event of
// its own, which takes up to twice the processor time.
func (w *Watch) newInformer(lw toolscache.ListerWatcher, example runtime.Object, resync time.Duration, by toolscache.Indexers) toolscache.SharedIndexInformer {
	whole := toolscache.ToListerWatcherWithContext(lw)
	paged := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			if options.Limit > 0 {
				options.Limit = pageSize
				options.ResourceVersion = "" // "0", with which informers begin, is answered without regard to the limit
			}
			list, err := whole.ListWithContext(ctx, options)
			if err != nil {
				return nil, err
			}
			return w.keepAll(list)
		},
		WatchFuncWithContext: whole.WatchWithContext,
	}
	return toolscache.NewSharedIndexInformer(toolscache.ToListWatcherWithWatchListSemantics(paged, noEvents{}), example, resync, by)
}

// noEvents tells client-go not to have the objects sent as events.
type noEvents struct{}

func (noEvents) IsWatchListSemanticsUnSupported() bool { return true }

// keepAll is the same list of what is kept of its objects.
func (w *Watch) keepAll(list runtime.Object) (runtime.Object, error) {
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
		kept.Items = append(kept.Items, k.(runtime.Object)) //nolint:forcetypeassert // keep returns nothing else
		return nil
	})
}
