import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';

/** One slice as it was, as it is restored by now, and as it should be. */
export function FineTunePictures() {
  const pictures = useApp((state) => state.tune.pictures);
  if (!pictures) return null;
  const { name, step, input, before, now, reference } = pictures;
  const all = [
    [tuneText.pictures.input, input],
    ...(before !== null && step > 0 ? [[tuneText.pictures.before, before] as const] : []),
    [tuneText.pictures.now(step), now],
    [tuneText.pictures.reference, reference],
  ] as const;
  return (
    <section className="tune-pictures" aria-label={tuneText.pictures.title(name)}>
      <h3>{tuneText.pictures.title(name)}</h3>
      <ul>
        {all.map(([title, url]) => (
          <li key={title}>
            <img src={url} alt="" />
            <span>{title}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
