// The components of the page, in one place to import from.

export * from "./basics";
export * from "./causes";
export * from "./conflict";
export * from "./dialog";
export * from "./draft";
export * from "./entry";
export * from "./fields";
export * from "./icon";
export * from "./lists";
export * from "./pattern_words";
export * from "./risk";
export * from "./schema";
export * from "./schema_form";
export * from "./strobe";
export * from "./things";
export * from "./toast";
export { t as uiWords } from "./words";
