/**
 * Tell of a page's life: that it is put to sleep, in the back/forward cache or because nobody looks at it; that it
 * wakes; that it is hidden or seen; that the device has a network again. Where there is no page, nothing is told.
 *
 * @param {{sleep: () => void, wake: () => void, seen: (visible: boolean) => void, online: () => void}} to
 * @param {AbortSignal} signal no more
 */
export declare function watchPage({ sleep, wake, seen, online }: {
    sleep: () => void;
    wake: () => void;
    seen: (visible: boolean) => void;
    online: () => void;
}, signal: AbortSignal): void;
