package cluster

import (
	"cmp"

	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/source"
	"kubernaut.io/dynamic-toolset/internal/world"
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
			kept, err := w.keepPages(ctx, whole)
			if !apierrors.IsResourceExpired(err) {
				return kept, err
			}
			// The pages became too old, and the API server does not say how to go on: all at once, as of any time.
			options.ResourceVersion, options.Limit = "0", 0
			list, err := whole.ListWithContext(ctx, options)
			if err != nil {
				return nil, err
			}
			kept = new(internalversion.List)
			return kept, w.keepAll(list, kept, world.Sizes{})
		},
		WatchFuncWithContext: whole.WatchWithContext,
	}
	return toolscache.NewSharedIndexInformer(toolscache.ToListWatcherWithWatchListSemantics(paged, noEvents{}), example, resync, by)
}

// noEvents tells client-go not to have the objects sent as events.
type noEvents struct{}

func (noEvents) IsWatchListSemanticsUnSupported() bool { return true }

// keepPages lists page by page. It pays no regard to what an informer asks for: from the version it names, "0" at first, the
// API server would answer without regard to any limit. What is kept is as of the first page, also where later ones are newer:
// the watch goes on from there, and so misses nothing that became of the objects of the first pages meanwhile.
func (w *Watch) keepPages(ctx context.Context, whole toolscache.ListerWatcherWithContext) (*internalversion.List, error) {
	kept, sizes, version := new(internalversion.List), world.Sizes{}, ""
	err := source.Pages(pageSize, metav1.ListOptions{}, func(o metav1.ListOptions) (string, error) {
		list, err := whole.ListWithContext(ctx, o)
		if err != nil {
			return "", err
		}
		err = w.keepAll(list, kept, sizes)
		next := kept.Continue
		version = cmp.Or(version, kept.ResourceVersion)
		kept.Continue, kept.ResourceVersion = "", version
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// keepAll adds what is kept of a list's objects to kept, which then is as the list is. sizes are those of the slices so far.
func (w *Watch) keepAll(list runtime.Object, kept *internalversion.List, sizes world.Sizes) error {
	about, err := meta.ListAccessor(list)
	if err != nil {
		return fmt.Errorf("%T is no list: %w", list, err)
	}
	kept.ListMeta = metav1.ListMeta{ResourceVersion: about.GetResourceVersion(), Continue: about.GetContinue()}
	kept.Items = slices.Grow(kept.Items, meta.LenList(list))
	return meta.EachListItem(list, func(object runtime.Object) error {
		k, err := w.keep(object)
		if err != nil {
			return err
		}
		if s, ok := k.(*keptSlice); ok && s.slice != nil {
			*s.slice = sizes.Fit(s.Namespace, *s.slice)
		}
		kept.Items = append(kept.Items, k.(runtime.Object)) //nolint:forcetypeassert // keep returns nothing else
		return nil
	})
}
