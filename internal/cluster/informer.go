package cluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/store"
)

// listTimeout is how long a request for a page may take. The API server ends it after a minute by default. But what is
// between may hang, and an informer would wait for ever.
const listTimeout = 2 * time.Minute

// listWatch returns what an informer needs to list and watch the objects of a typed client.
func listWatch[L runtime.Object](
	list func(context.Context, metav1.ListOptions) (L, error),
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error),
) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, listTimeout)
			defer cancel()
			return list(ctx, o)
		},
		WatchFuncWithContext: watch,
	}
}

// named limits lw to one object, which a Role can name. It lists the present state, where client-go would accept an old
// one at first.
func named(name string, lw *cache.ListWatch) *cache.ListWatch {
	only := fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector, o.ResourceVersion = only, ""
			return lw.ListWithContext(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = only
			return lw.WatchWithContext(ctx, o)
		},
	}
}

// paged makes an informer list page by page, and reduces the objects of each page before it requests the next one.
// client-go's informer either holds all objects of a cluster at once, or has the API server send each object as a
// separate event, which takes up to twice the processor time.
func (w *Watch) paged(whole *cache.ListWatch) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
			return w.keepPages(ctx, whole)
		},
		WatchFuncWithContext: whole.WatchFuncWithContext,
	}
}

// noEvents makes client-go list the objects instead of requesting them as events. If the events were refused, it would
// list the objects too, and the log would have both failures each time.
type noEvents struct{}

func (noEvents) IsWatchListSemanticsUnSupported() bool { return true }

// keepPages lists page by page. It ignores the options of the informer, because the API server ignores the page limit
// for the resourceVersion that they name ("0" at first). The list has the resourceVersion of the first page, even if
// later pages are newer. The watch starts from there, so that it misses no change to the objects of the first pages.
func (w *Watch) keepPages(ctx context.Context, whole *cache.ListWatch) (runtime.Object, error) {
	var sizes store.Sizes
	var shares store.Shares
	kept, _, err := pages(pageSize, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		if o.Continue == "" {
			sizes, shares = store.Sizes{}, store.Shares{}
		}
		if o.Limit == 0 { // the pages expired and there is no token to continue: list all at once, from the cache
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

// keepAll reduces the objects of a list. sizes are those of the slices so far, shares those of the Services.
func (w *Watch) keepAll(list runtime.Object, sizes store.Sizes, shares store.Shares) (*internalversion.List, error) {
	about, err := meta.ListAccessor(list)
	if err != nil {
		return nil, fmt.Errorf("%T is not a list: %w", list, err)
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
