import { chooseModel, loadWeights } from '../actions.ts';
import type { CardText, Measured } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { learnt, measured } from '../view/describe.ts';
import { CheckButton } from './CheckButton.tsx';
import { Explained } from './Explained.tsx';
import { FileButton } from './FileButton.tsx';
import { PrecisionButton } from './PrecisionButton.tsx';

export function ModelPanel() {
  const models = useApp((state) => state.models);
  const chosen = useApp((state) => state.model);
  const working = useApp((state) => state.work !== null);
  const model = models.find(({ id }) => id === chosen);
  return (
    <Explained title={text.model.title} sentence={text.model.sentence}>
      <select
        aria-label={text.model.label}
        className="model-choice"
        value={chosen ?? ''}
        disabled={working || models.length === 0}
        onChange={(event) => chooseModel(event.target.value)}
      >
        {models.length === 0 && <option value="">{text.model.none}</option>}
        {models.map(({ id, name, variant, parameters }) => (
          <option key={id} value={id}>
            {text.model.option(name, variant, parameters)}
          </option>
        ))}
      </select>
      <div className="actions">
        <FileButton
          label={text.model.load}
          accept=".safetensors,.pth,.pt,.ckpt,.bin"
          onFiles={([file]) => file && loadWeights(file)}
        >
          {text.model.load}
        </FileButton>
        <CheckButton className="panel-check" />
        <PrecisionButton className="panel-check" long />
      </div>
      {model?.card && <OtherTask card={model.card} />}
      {model && <Card card={model.card} />}
    </Explained>
  );
}

/** Says so where the model was trained, and not on what the image is. */
function OtherTask({ card }: { card: CardText }) {
  const modality = useApp((state) => state.image?.modality);
  if (!modality || learnt(card, modality)) return null;
  return (
    <p className="model-warning" role="note">
      {text.model.otherTask(card.tasks.map(({ title }) => title), modality)}
    </p>
  );
}

function Card({ card }: { card: CardText | null }) {
  return (
    <details className="card">
      <summary>{text.model.card}</summary>
      {card ? <CardBody card={card} /> : <p>{text.model.noCard}</p>}
    </details>
  );
}

function CardBody({ card }: { card: CardText }) {
  return (
    <>
      {card.measured.length > 0 && <CardScores measured={card.measured} />}
      {card.tasks.length > 0 && <h3>{text.model.tasks}</h3>}
      <ul>
        {card.tasks.map(({ title, degradation }) => (
          <li key={title}>
            <strong>{title}</strong> {degradation}
          </li>
        ))}
      </ul>
      <h3>{text.model.limits}</h3>
      <ul>
        {card.limits.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
      <h3>{text.model.trained}</h3>
      <p>{card.trained}</p>
      <h3>{text.model.normalisation}</h3>
      <p>{card.normalisation}</p>
      {card.data.length > 0 && <h3>{text.model.data}</h3>}
      <ul>
        {card.data.map(({ title, attribution, licence, url }) => (
          <li key={title}>
            {title}.{' '}
            <small>
              {attribution}; {licence}.{' '}
              <a href={url} target="_blank" rel="noreferrer" aria-label={`${text.model.source}: ${title}`}>
                {text.model.source}
              </a>
            </small>
          </li>
        ))}
      </ul>
      <h3>{text.model.licence}</h3>
      <p>{card.licence}</p>
    </>
  );
}

function CardScores({ measured: rows }: { measured: CardText['measured'] }) {
  return (
    <table className="card-scores">
      <caption>{text.model.measured}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">
            PSNR <small>dB</small>
          </th>
          <th scope="col">SSIM</th>
          <th scope="col">RMSE</th>
        </tr>
      </thead>
      {rows.map(({ task, on, slices, units, input, restored }) => (
        <tbody key={`${task} ${on}`}>
          <tr>
            <th scope="rowgroup" colSpan={4}>
              <strong>{task}</strong> <small>{text.model.measuredOn(slices, units)}</small>
              <small className="card-on">{on}</small>
            </th>
          </tr>
          <ScoreRow name={text.sources.input} scores={input} />
          <ScoreRow name={text.sources.restored} scores={restored} />
        </tbody>
      ))}
    </table>
  );
}

function ScoreRow({ name, scores }: { name: string; scores: Measured }) {
  const { psnr, ssim, rmse } = measured(scores);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{psnr}</td>
      <td>{ssim}</td>
      <td>{rmse}</td>
    </tr>
  );
}
