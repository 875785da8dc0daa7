import { defaultKeymap } from '@codemirror/commands';
import { defineLanguageFacet, HighlightStyle, Language, syntaxHighlighting } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parser } from '@lezer/markdown';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';

import type { NoteSession } from './note-session.js';

const markdown = new Language(defineLanguageFacet(), parser, [], 'markdown');

/* Sizes and colours are the style sheet's. */
const style = HighlightStyle.define([
  { tag: tags.heading1, class: 'md-heading md-heading-1' },
  { tag: tags.heading2, class: 'md-heading md-heading-2' },
  { tag: [tags.heading3, tags.heading4, tags.heading5, tags.heading6], class: 'md-heading' },
  { tag: tags.strong, class: 'md-strong' },
  { tag: tags.emphasis, class: 'md-emphasis' },
  { tag: tags.monospace, class: 'md-code' },
  { tag: tags.quote, class: 'md-quote' },
  { tag: [tags.link, tags.url], class: 'md-link' },
  { tag: [tags.processingInstruction, tags.contentSeparator], class: 'md-mark' },
]);

const look: Extension = [EditorView.lineWrapping, markdown, syntaxHighlighting(style)];

/** The note, to be written in by everybody. */
export function openEditor(parent: Element, { text, awareness }: NoteSession): EditorView {
  const state = EditorState.create({
    doc: text.toJSON(),
    extensions: [
      keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
      drawSelection(),
      placeholder('Write something'),
      EditorView.contentAttributes.of({ 'aria-label': 'Note', spellcheck: 'true' }),
      look,
      yCollab(text, awareness),
    ],
  });
  return new EditorView({ parent, state });
}

/** The note as it was, to be looked at. */
export function openViewer(parent: Element, text: string): EditorView {
  const readOnly = [EditorState.readOnly.of(true), EditorView.editable.of(false)];
  return new EditorView({ parent, state: EditorState.create({ doc: text, extensions: [readOnly, look] }) });
}
