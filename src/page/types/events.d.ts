// The events that parts of the page send each other: what they carry in `detail` is theirs.

interface HTMLElement {
  addEventListener(type: "refused", listener: (event: CustomEvent) => void, options?: AddEventListenerOptions): void;
}

interface Document {
  addEventListener(
    type: "announce" | "dataset-made" | "deleted" | "go" | "watched",
    listener: (event: CustomEvent) => void,
    options?: AddEventListenerOptions,
  ): void;
}
