import { PROFILE_SUMMARY } from '../../formats/deidentificationProfile.ts';
import { text } from '../text.ts';

/** What de-identification does, attribute by attribute. */
export function Profile() {
  return (
    <details className="profile">
      <summary>{text.save.profile}</summary>
      <p>{PROFILE_SUMMARY.name}</p>
      <dl>
        {PROFILE_SUMMARY.lines.map(({ effect, count, examples }) => (
          <div key={effect}>
            <dt>{text.save.effects[effect]}</dt>
            <dd>{text.save.examples(count, examples)}</dd>
          </div>
        ))}
      </dl>
      <ul>
        {PROFILE_SUMMARY.remarks.map((remark) => (
          <li key={remark}>{remark}</li>
        ))}
      </ul>
    </details>
  );
}
