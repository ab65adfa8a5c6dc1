/* What the list of models says, in words. Knows no React. */
import type { Model } from '../server';

/** "80 classes · 416×416 · 22 ms", or why it cannot be used; 'A model' when the server does not say. */
export function describeModel({ default: isDefault, error, task, class_count: classes, input_width: width, input_height: height, ms }: Model): string {
  if (error !== undefined) return `Cannot be used: ${error}`;
  if (task === undefined || ms === undefined) return 'A model';
  const what = task === 'detect' ? `${classes} ${classes === 1 ? 'class' : 'classes'}` : task;
  return [isDefault ? 'The default' : '', what, `${width}×${height}`, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`].filter((part) => part !== '').join(' · ');
}
