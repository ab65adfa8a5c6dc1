/* What to do with an empty canvas, and a beginning at one press. */
import { useApp, useAppState } from '../hooks/context';

export function EmptyCanvas() {
  const { editor } = useApp();
  const { videos } = useAppState();
  const begin = () => {
    const video = videos[0];
    const source = video === undefined
      ? editor.add('testPattern', { x: 0, y: 60 })
      : editor.add('videoInput', { x: 0, y: 60 }, { videoPath: video, label: video });
    const model = editor.add('model', { x: 290, y: 60 }, { confidence: 0.4 });
    const view = editor.add('videoPreviewWebRTC', { x: 590, y: 0 }, { bitratePreset: 'high' });
    editor.connect(source.id, model.id);
    editor.connect(model.id, view.id);
    editor.select(new Set());
  };
  return (
    <div className="empty" data-testid="empty">
      <h2>Wire what you want to see</h2>
      <ol>
        <li>Drag a <b>source</b> from the left: a camera, a video file, the test pattern. A video file from your desktop can be dropped here, too.</li>
        <li>Drag an <b>AI Model</b> beside it, and an <b>X-RAY View</b> beside that.</li>
        <li>Connect them, from the right edge of one to the left edge of the next.</li>
        <li><b>Execute</b>: the picture appears in the view.</li>
      </ol>
      <button type="button" className="button primary" data-testid="begin" onClick={begin}>Start from an example</button>
    </div>
  );
}
